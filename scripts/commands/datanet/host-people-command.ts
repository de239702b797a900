import { readFile } from "node:fs/promises";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { listAccess, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { nameCard } from "@openledger/datanets/card/card";
import { FILE_FORMATS, type FileFormat, formatOf } from "@openledger/datanets/rows/read-rows";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { CARD_OPTION, NOTE_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader } from "../../cli/context.ts";
import { required, withFallback, withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { HOST_OPTION, signerClient } from "./host-options.ts";

const DAY_MS = 86_400_000;

/** What people do before and beside the rows: look at files, sign records, ask for access and answer. */
export function addHostPeopleCommands(datanet: Command): void {
  addPreview(datanet);
  addSay(datanet);
  addAccess(datanet);
}

function addPreview(parent: Command): void {
  const command = withOptions(
    parent
      .command("preview <files...>")
      .description(
        "what a contribution would have of copies, broken rows, secrets and personal numbers, before it is signed",
      ),
    {
      ...required(CARD_OPTION),
      "--format <name>": `one of ${FILE_FORMATS.join(", ")}; default: by each file's ending`,
      "--datanet <id>": "also compare with what was committed there and is in the store",
      ...withFallback(STORE_OPTION, workspacePaths.rows),
    },
  );
  withExample(
    command,
    "datanet preview mails.jsonl --card card.json",
    "datanet preview rows.csv --card card.json --datanet 10",
  );
  onRun(command, async ({ args, options, output }) => {
    const { card } = nameCard(JSON.parse(await readText(options.card)));
    const { readRowsOf } = await import("@openledger/datanets/rows/read-rows");
    const { previewRows } = await import("@openledger/datanets/rows/preview");
    const rows: Uint8Array[] = [];
    for (const path of args)
      rows.push(...(await readRowsOf(card, formatFor(path, options.format), await readBytes(path))));
    const known =
      options.datanet === undefined ? undefined : await committed(options, parseId(options.datanet));
    const findings = previewRows(card, rows, known);
    output.answer(
      [
        `${rows.length} rows; ${findings.length} things to look at`,
        ...renderTable(
          findings.map(({ detail, from, kind, row, to }) => [
            `  row ${row}`,
            kind,
            from === undefined ? "" : `characters ${from} to ${to}`,
            detail,
          ]),
        ),
      ],
      { rowCount: rows.length, findings },
    );
  });
}

/** Digests of all committed rows whose lists are in the store. */
async function committed(options: GlobalOptions & { rows: string }, datanetId: number): Promise<Set<string>> {
  const client = await openReader(options);
  const store = await openRowStore(options.rows);
  const digests = new Set<string>();
  for (const { rowsRoot } of await listCommits(client, datanetId)) {
    try {
      for (const digest of (await readContribution(store, rowsRoot)).digests) digests.add(digest);
    } catch (error) {
      if (!isRollupError(error, "CLI_ROWS_MISSING")) throw error;
    }
  }
  return digests;
}

function addSay(parent: Command): void {
  const command = withOptions(
    parent
      .command("say <datanet> <file>")
      .description(
        "sign records and bring them to a host: labels, reviews, verdicts, objections (docs/explanation/datanets.md)",
      ),
    { ...HOST_OPTION, "--as-datanet": "sign with the Datanet's own key" },
  );
  withExample(command, "datanet say 10 labels.jsonl --host http://127.0.0.1:8560 --account carol");
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const records = (await readText(args[1]!))
      .split(/\r?\n/)
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as UnsignedRecord);
    const client = await signerClient(options, options.asDatanet === true ? datanetId : null);
    const results = await sayRecords(client, { hostUrl: options.host, datanetId, records });
    const refused = results.flatMap(({ error }, i) => (error === null ? [] : [{ place: i, ...error }]));
    output.answer(
      [
        `${results.length - refused.length} of ${results.length} records were taken`,
        ...renderTable(refused.map(({ code, message, place }) => [`  record ${place}`, code, message])),
      ],
      { datanetId, takenCount: results.length - refused.length, refused },
    );
  });
}

function addAccess(parent: Command): void {
  const access = parent.command("access").description("who may read a permissioned Datanet's rows");
  withExample(access, "datanet access list 10 --host http://127.0.0.1:8560");

  const ask = withOptions(
    access
      .command("ask <datanet>")
      .description("ask the owner for access; anyone sees that you asked, and whether he answered"),
    { ...HOST_OPTION, "--purpose <text>": { about: "what the rows are for", isRequired: true } },
  );
  withExample(
    ask,
    'datanet access ask 10 --purpose "a spam filter" --host http://127.0.0.1:8560 --account bob',
  );
  onRun(ask, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, null);
    const records = [{ kind: "accessRequest" as const, purpose: options.purpose }];
    const [result] = await sayRecords(client, { hostUrl: options.host, datanetId, records });
    if (result!.error !== null)
      throw commandError("CMD_USAGE", result!.error.message, { data: result!.error });
    output.answer([`request ${result!.id} waits for the owner of datanet ${datanetId}`], {
      datanetId,
      id: result!.id,
    });
  });

  const list = withOptions(access.command("list <datanet>").description("requests and answers"), {
    ...HOST_OPTION,
  });
  withExample(list, "datanet access list 10 --host http://127.0.0.1:8560");
  onRun(list, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const requests = await listAccess(await openReader(options), { hostUrl: options.host, datanetId });
    const unansweredCount = requests.filter(({ answer }) => answer === null).length;
    output.answer(
      [
        `${requests.length} requests, ${unansweredCount} of them unanswered`,
        ...renderTable(
          requests.map(({ answer, askedAtMs, id, leafId, purpose }) => [
            `  ${id}`,
            `leaf ${leafId}`,
            new Date(askedAtMs).toISOString(),
            answer === null
              ? "unanswered"
              : `${answer.answer} until ${new Date(answer.untilMs).toISOString()}`,
            purpose.slice(0, 60),
          ]),
        ),
      ],
      { datanetId, requests, unansweredCount },
    );
  });

  const answer = withOptions(
    access
      .command("answer <datanet> <request>")
      .description("grant or refuse a request, by the Datanet's own key"),
    {
      ...HOST_OPTION,
      "--grant-days <n>": "grant for so many days; without it the request is refused",
      ...withFallback(NOTE_OPTION, ""),
    },
  );
  withExample(
    answer,
    "datanet access answer 10 0x… --grant-days 30 --host http://127.0.0.1:8560 --account alice",
  );
  onRun(answer, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, datanetId);
    const { grantDays, host, note } = options;
    const untilMs = grantDays === undefined ? 0 : Date.now() + parseId(grantDays) * DAY_MS;
    const said = grantDays === undefined ? ("refuse" as const) : ("grant" as const);
    const records = [{ kind: "accessAnswer" as const, request: args[1]!, answer: said, untilMs, note }];
    const [result] = await sayRecords(client, { hostUrl: host, datanetId, records });
    if (result!.error !== null)
      throw commandError("CMD_USAGE", result!.error.message, { data: result!.error });
    output.answer([`request ${args[1]}: ${said}`], { datanetId, request: args[1], answer: said, untilMs });
  });
}

/** @throws CMD_USAGE */
function formatFor(path: string, format: string | undefined): FileFormat {
  if (format === undefined) return formatOf(path);
  const known = FILE_FORMATS.find((one) => one === format);
  if (known === undefined) throw commandError("CMD_USAGE", `there is no format ${format}`);
  return known;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  }
}

const readText = async (path: string) => new TextDecoder().decode(await readBytes(path));
