/**
 * `openledger datanet say` and `access`: people sign records for a host, ask for rows of a permissioned Datanet, and its owner
 * answers.
 */
import { listFormerRecords, signAgain } from "@openledger/client/datanets/sign-again";
import { listAccess, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import { delegateLines } from "@openledger/client/safe/leaf-owner";
import { aboutOf } from "@openledger/datanets/records/record";
import { counted } from "@openledger/foundation/counted";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { NOTE_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader } from "../../cli/context.ts";
import { withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readJsonLines } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";
import { HOST_OPTION, type HostOptions, signerClient } from "./host-options.ts";

const DAY_MS = 86_400_000;

/** Commands for people: sign records, request access and answer requests. */
export function addHostPeopleCommands(datanet: Command): void {
  addSay(datanet);
  addSignAgain(datanet);
  addAccess(datanet);
}

const addSay = command({
  usage: "say <datanet> <file>",
  about:
    "sign records (labels, reviews, verdicts, objections) and upload them to a host (docs/explanation/datanets.md)",
  options: { ...HOST_OPTION, "--as-datanet": "sign with the Datanet's key" },
  examples: ["datanet say 10 labels.jsonl --host http://127.0.0.1:8560 --account carol"],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const records = (await readJsonLines(args[1]!)) as UnsignedRecord[];
    const client = await signerClient(options, options.asDatanet === true ? datanetId : null);
    const results = await sayRecords(client, { hostUrl: options.host, datanetId, records });
    const refused = results.flatMap(({ error }, i) => (error === null ? [] : [{ place: i, ...error }]));
    output.answer(
      [
        `${results.length - refused.length} of ${results.length} records were taken`,
        ...renderTable(refused.map(({ code, message, place }) => [`  record ${place + 1}`, code, message])),
      ],
      { datanetId, takenCount: results.length - refused.length, refused },
    );
  },
});

const addSignAgain = command({
  usage: "sign-again <datanet>",
  about:
    "list the records that only a former key of yours has signed, which nobody counts; with --sign, sign them with the key that you have now",
  options: {
    ...HOST_OPTION,
    "--as-datanet": "those of the Datanet's own key",
    "--sign": "sign all of them: whoever had the former key can have made some, so look at the list first",
  },
  examples: [
    "datanet sign-again 10 --host http://127.0.0.1:8560 --account carol",
    "datanet sign-again 10 --sign --host http://127.0.0.1:8560 --account carol",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, options.asDatanet === true ? datanetId : null);
    const location = { hostUrl: options.host, datanetId };
    const records = await listFormerRecords(client, location);
    if (options.sign !== true || records.length === 0)
      return output.answer(
        [
          `${counted(records.length, "record")} of leaf ${client.leafId} on ${options.host} ${records.length === 1 ? "is" : "are"} of a former key`,
          ...renderTable(
            records.map((body) => [
              `  ${body.kind}`,
              aboutOf(body),
              "label" in body ? (body.label ?? "left out") : "verdict" in body ? body.verdict : "",
              new Date(body.atMs).toISOString(),
            ]),
          ),
        ],
        { datanetId, records },
      );
    const { refused, signedCount } = await signAgain(client, location);
    output.answer(
      [
        `${signedCount} of ${counted(records.length, "record")} ${records.length === 1 ? "is" : "are"} signed again`,
        ...renderTable(
          refused.map(({ body, code, message }) => [`  ${body.kind} of ${aboutOf(body)}`, code, message]),
        ),
      ],
      { datanetId, signedCount, refused },
    );
  },
});

const addAccess = command({
  usage: "access <datanet> [request]",
  about:
    "list access requests and grants of a permissioned Datanet; with --purpose, request access publicly; with a request, reply to it with the Datanet's key",
  options: {
    ...HOST_OPTION,
    "--purpose <text>": "request access: how you will use the rows",
    "--grant-days <n>": "reply to the request: grant access for this many days, or refuse with 0",
    ...withFallback(NOTE_OPTION, ""),
  },
  examples: [
    "datanet access 10 --host http://127.0.0.1:8560",
    'datanet access 10 --purpose "a forecast of the weather" --host http://127.0.0.1:8560 --account bob',
    "datanet access 10 0x… --grant-days 30 --host http://127.0.0.1:8560 --account alice",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const request = args[1];
    const { grantDays, purpose } = options;
    if (
      (request === undefined) !== (grantDays === undefined) ||
      (request !== undefined && purpose !== undefined)
    )
      throw commandError("CMD_USAGE", "an answer has a request and --grant-days; --purpose asks instead");
    if (request !== undefined)
      return answerRequest(options, { datanetId, request, days: parseId(grantDays!) }, output);
    if (purpose !== undefined) return askForAccess({ ...options, purpose }, datanetId, output);
    const location = { hostUrl: options.host, datanetId };
    const reader = await openReader(options);
    const { dropped, requests } = await listAccess(reader, location);
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
        ...droppedLines(dropped),
        ...(await delegateLines(reader, [datanetId])),
      ],
      { datanetId, requests, unansweredCount, droppedCount: dropped.length },
    );
  },
});

type HostedOptions = GlobalOptions & HostOptions;

async function askForAccess(
  options: HostedOptions & { readonly purpose: string },
  datanetId: number,
  output: Output,
): Promise<void> {
  const client = await signerClient(options, null);
  const records = [{ kind: "accessRequest" as const, purpose: options.purpose }];
  const [result] = await sayRecords(client, { hostUrl: options.host, datanetId, records });
  if (result!.error !== null) throw commandError("CMD_USAGE", result!.error.message, { data: result!.error });
  output.answer([`request ${result!.id} waits for the owner of datanet ${datanetId}`], {
    datanetId,
    id: result!.id,
  });
}

async function answerRequest(
  options: HostedOptions & { readonly note: string },
  { datanetId, request, days }: { datanetId: number; request: string; days: number },
  output: Output,
): Promise<void> {
  const client = await signerClient(options, datanetId);
  const { host, note } = options;
  const untilMs = days === 0 ? 0 : Date.now() + days * DAY_MS;
  const answer = days === 0 ? ("refuse" as const) : ("grant" as const);
  const records = [{ kind: "accessAnswer" as const, request, answer, untilMs, note }];
  const [result] = await sayRecords(client, { hostUrl: host, datanetId, records });
  if (result!.error !== null) throw commandError("CMD_USAGE", result!.error.message, { data: result!.error });
  output.answer([`request ${request}: ${answer}`], { datanetId, request, answer, untilMs });
}
