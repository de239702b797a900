/**
 * `openledger datanet findings` and `decide`: a reviewer lists a host's doubtful rows and decides, a contributor reads notices
 * and objects. Decisions are signed records.
 */
import { checkFindings, listFindings, listNotices } from "@openledger/client/datanets/cleaning";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { resolveSigner } from "@openledger/client/sequencer/ledger-reads";
import { FINDING_KINDS } from "@openledger/datanets/cleaning/finding";
import { LEFT_OUT_WHY } from "@openledger/datanets/records/record";
import { counted } from "@openledger/foundation/counted";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { NOTE_OPTION } from "../../cli/common-options.ts";
import type { GlobalOptions } from "../../cli/context.ts";
import { withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { HOST_OPTION, type HostOptions, readerOrSigner, signerClient } from "./host-options.ts";

const HOST = "--host http://127.0.0.1:8560";

/** Adds findings and decide. */
export function addCleaningCommands(datanet: Command): void {
  addFindings(datanet);
  addDecide(datanet);
}

const addFindings = command({
  usage: "findings [datanet]",
  about:
    "list copies, near-duplicates, contradicted labels and broken rows, with their decisions; without a Datanet, your rows that were left out, with reasons, reviewers and replies",
  options: {
    ...HOST_OPTION,
    "--check": "have the host check all rows first, as a reviewer",
    "--as-datanet": "sign with the Datanet's key",
    "--kind <kind>": { about: "only findings of this kind", choices: FINDING_KINDS },
    "--state <state>": {
      about: "only findings in this state",
      choices: ["open", "leftOut", "kept", "byRule"],
    },
  },
  examples: [
    `datanet findings 10 --check --state open ${HOST} --account alice`,
    `datanet findings ${HOST} --account bob`,
  ],
  run: async ({ args, options, output }) => {
    const [datanet] = args;
    if (datanet === undefined) return showNotices(options, output);
    const location = { hostUrl: options.host, datanetId: parseId(datanet) };
    const client =
      options.check === true || options.asDatanet === true
        ? await signerClient(options, options.asDatanet === true ? location.datanetId : null)
        : await readerOrSigner(options);
    if (options.check === true)
      await checkFindings(client, {
        ...location,
        onProgress: (step, done, total) => output.progress(`${step} (step ${done} of ${total})`),
      });
    const { kind, state } = options;
    const page = await listFindings(client, {
      ...location,
      ...(kind === undefined ? {} : { kind }),
      ...(state === undefined ? {} : { state }),
    });
    const { last } = page.check;
    output.answer(
      [
        last === null
          ? "the rows were never checked: run with --check"
          : `${counted(page.total, "finding")} in ${counted(last.rowCount, "row")}, of ${new Date(last.checkedAtMs).toISOString()}${last.isCurrent ? "" : "; rows or records have come since"}`,
        ...(last === null || last.uncomparedCount === 0
          ? []
          : [
              `${counted(last.uncomparedCount, "row")} of other Datanets not compared: the host gives a check no more memory`,
            ]),
        ...renderTable(
          page.findings.map(({ contributorId, evidence, kind: found, row, state: now }) => [
            `  ${row}`,
            `leaf ${contributorId}`,
            found,
            now,
            evidence.detail,
          ]),
        ),
      ],
      { ...location, ...page },
    );
  },
});

const addDecide = command({
  usage: "decide <datanet> <rows...>",
  about:
    "sign, as a reviewer, that rows are left out or kept, which also answers objections; or object to a decision on your rows",
  options: {
    ...HOST_OPTION,
    "--keep": "keep the rows; default: leave them out",
    "--object": "object as the rows' contributor, with a public --note that a reviewer answers",
    "--why <reason>": { about: "the reason", choices: LEFT_OUT_WHY, fallback: "other" },
    ...withFallback(NOTE_OPTION, ""),
    "--as-datanet": "sign with the Datanet's key",
  },
  examples: [
    `datanet decide 10 5e88… --why near-duplicate --note "of row 17" ${HOST} --account dave`,
    `datanet decide 10 5e88… --object --note "row 17 is of another mail" ${HOST} --account bob`,
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const { note, why } = options;
    const rows = args.slice(1);
    if (options.object === true) {
      if (note === "" || options.keep === true || options.asDatanet === true)
        throw commandError("CMD_USAGE", "an objection has a --note, and neither --keep nor --as-datanet");
      const records = rows.map((row): UnsignedRecord => ({ kind: "objection", row, note }));
      await say(options, null, datanetId, records);
      output.answer([`${rows.length} objections wait for a reviewer`], { datanetId, rows, note });
      return;
    }
    const isLeftOut = options.keep !== true;
    const records = rows.map((row): UnsignedRecord => ({ kind: "leaveOut", row, isLeftOut, why, note }));
    await say(options, options.asDatanet === true ? datanetId : null, datanetId, records);
    output.answer(
      [`${counted(records.length, "row is", "rows are")} ${isLeftOut ? "left out" : "kept"}, for all to see`],
      {
        datanetId,
        rowCount: records.length,
        isLeftOut,
        why,
        note,
      },
    );
  },
});

async function showNotices(options: GlobalOptions & HostOptions, output: Output): Promise<void> {
  const client = await signerClient(options, null);
  const { id: contributorId } = await resolveSigner(client, undefined);
  const page = await listNotices(client, { hostUrl: options.host, contributorId });
  output.answer(
    [
      `${page.total} notices for leaf ${contributorId}`,
      ...renderTable(
        page.notices.map((notice) => [
          `  datanet ${notice.datanetId}`,
          new Date(notice.atMs).toISOString(),
          notice.about === "row" ? notice.row : notice.commit,
          notice.about === "contribution" ? "rejected" : notice.isLeftOut ? notice.why : "kept",
          `by leaf ${notice.byId}`,
          notice.note.slice(0, 60),
          notice.about === "row" && notice.objection !== null
            ? notice.objection.isAnswered
              ? "objected, answered"
              : "objected"
            : "",
        ]),
      ),
    ],
    { contributorId, ...page },
  );
}

/** Sends the records to the host. @throws CMD_USAGE with the host's words, if it refuses one */
async function say(
  options: GlobalOptions & HostOptions,
  signer: number | null,
  datanetId: number,
  records: UnsignedRecord[],
): Promise<void> {
  const client = await signerClient(options, signer);
  const results = await sayRecords(client, { hostUrl: options.host, datanetId, records });
  const refused = results.find(({ error }) => error !== null)?.error;
  if (refused != null) throw commandError("CMD_USAGE", refused.message, { data: refused });
}
