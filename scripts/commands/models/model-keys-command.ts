/** `openledger models keys`: the operator of an answer server issues, lists and revokes the API keys of those who may ask it. */
import type { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { openKeys, readServingConfig, servingKeys } from "@openledger/models/serving/serving-config";
import { commandError } from "../../cli/cli-errors.ts";
import { renderTable } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";

export const addModelKeysCommand = command({
  usage: "keys [name]",
  about: "issue or revoke an API key of the answer servers on a database; without a name, list them",
  options: {
    "--per-minute <requests,tokens>": {
      about: "maximum requests and tokens of the key per minute",
      fallback: [60, 100_000] as const,
      parse: (text: string) => {
        const [requests, tokens, ...more] = text.split(",").map(Number);
        if (!Number.isInteger(requests) || !Number.isInteger(tokens) || more.length > 0)
          throw commandError("CMD_USAGE", `${text} is not two whole numbers, as 60,100000`);
        return [requests!, tokens!] as const;
      },
    },
    "--revoke": "revoke the key; running servers refuse it from their next request on",
    "--serve-everybody": "revoke all keys, and answer everyone without one",
  },
  examples: ["models keys mia --per-minute 60,100000", "models keys mia --revoke", "models keys"],
  run: async ({ args, options, output }) => {
    const [name] = args;
    const { perMinute, revoke, serveEverybody } = options;
    if (name === undefined && revoke === true)
      throw commandError("CMD_USAGE", "say which key: models keys NAME --revoke");
    if (serveEverybody === true && name !== undefined)
      throw commandError("CMD_USAGE", "--serve-everybody revokes all keys: name none");
    const { lines, facts } = await withKeys(async (keys) => {
      if (serveEverybody === true) {
        await servingKeys.serveEverybody(keys);
        return { lines: ["no key is needed any more"], facts: { keys: null } };
      }
      if (name === undefined) return listed(await servingKeys.read(keys));
      if (revoke === true) {
        if (!(await servingKeys.revoke(keys, name)))
          throw commandError("CMD_USAGE", `there is no key ${name} in the database`);
        return { lines: [`key ${name} is revoked`], facts: { name } };
      }
      const [requestsPerMinute, tokensPerMinute] = perMinute;
      const key = await servingKeys.issue(keys, { name, requestsPerMinute, tokensPerMinute });
      return { lines: [`${key} is the key of ${name}; it is shown once`], facts: { name, key } };
    });
    output.answer(lines, facts);
  },
});

/** The database is that of the servers' settings, SERVING_DATABASE_URL or SERVING_DATABASE_PATH. */
async function withKeys<T>(work: (keys: Database) => Promise<T>): Promise<T> {
  const config = readServingConfig(process.env);
  const database = await openKeys(config, createLogger("models", config.logLevel, process.stderr));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

function listed(keys: Awaited<ReturnType<typeof servingKeys.read>>) {
  const rows = (keys ?? []).map((key) => [
    key.name,
    String(key.requestsPerMinute),
    String(key.tokensPerMinute),
    new Date(key.createdAtMs).toISOString(),
  ]);
  const none = "no key was ever issued: the servers answer everyone";
  const table = renderTable([["name", "requests per minute", "tokens per minute", "issued"], ...rows]);
  return { lines: keys === null ? [none] : table, facts: { keys } };
}
