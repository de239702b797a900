/** `openledger models keys`: the operator of an answer server issues, lists and revokes the API keys of those who may ask it. */
import { servingKeys } from "@openledger/models/serving/serving-config";
import { commandError } from "../../cli/cli-errors.ts";
import { DATA_OPTION } from "../../cli/common-options.ts";
import { withFallback } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";

export const addModelKeysCommand = command({
  usage: "keys [name]",
  about: "issue or revoke an API key of an answer server; without a name, list them",
  options: {
    ...withFallback(DATA_OPTION, ".openledger/serving"),
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
    "--revoke": "revoke the key; a running server refuses it within a second",
  },
  examples: ["models keys mia --per-minute 60,100000", "models keys mia --revoke", "models keys"],
  run: async ({ args, options, output }) => {
    const [name] = args;
    const { data, perMinute, revoke } = options;
    if (name === undefined) {
      if (revoke === true) throw commandError("CMD_USAGE", "say which key: models keys NAME --revoke");
      const keys = servingKeys.read(data);
      const rows = (keys ?? []).map((key) => [
        key.name,
        String(key.requestsPerMinute),
        String(key.tokensPerMinute),
        new Date(key.createdAtMs).toISOString(),
      ]);
      const none = "no key was ever issued: the server answers everyone";
      const lines =
        keys === null
          ? [none]
          : renderTable([["name", "requests per minute", "tokens per minute", "issued"], ...rows]);
      return output.answer(lines, { keys });
    }
    if (revoke === true) {
      if (!(await servingKeys.revoke(data, name)))
        throw commandError("CMD_USAGE", `there is no key ${name} in ${data}`);
      return output.answer([`key ${name} is revoked`], { name });
    }
    const [requestsPerMinute, tokensPerMinute] = perMinute;
    const key = await servingKeys.issue(data, { name, requestsPerMinute, tokensPerMinute });
    output.answer([`${key} is the key of ${name}; it is shown once`], { name, key });
  },
});
