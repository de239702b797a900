/**
 * `openledger datanet publish`: a Datanet's owner publishes a version of the committed rows, by validators of their choice or by
 * a host's records, signed or forced.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { passedOverLines } from "@openledger/client/actions/data/committed-rows";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { labelledCount } from "@openledger/client/actions/data/stored-labels";
import type { SendResult } from "@openledger/client/actions/ledger/send-operation";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import {
  type PreparedVersion,
  type PublishProgress,
  prepareVersion,
  publishPrepared,
  type VersionRule,
} from "@openledger/client/tasks/publish-version";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { commandError } from "../../cli/cli-errors.ts";
import { STORE_OPTION } from "../../cli/common-options.ts";
import { accountOf, type GlobalOptions, openSigner, type Signer, signFor } from "../../cli/context.ts";
import { withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, waitWithProgress } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { FORCED_OPTIONS, type ForcedOptions, type ForcedOutcome } from "../money/forced-operation.ts";
import { ANY_HOST_OPTION, UNSIGNED_OPTION, unsignedOf } from "./host-options.ts";
import { readLeaveOut } from "./leave-out-file.ts";

export const addPublish = command({
  usage: "publish <datanet>",
  about:
    "publish a version of all rows contributed so far; with a host, of the rows that its labels, reviews and approvals admit",
  options: {
    "--validator <leaf>": "leaf id of the validator of the rows; default: the account's",
    "--vouched <pairs...>":
      "validator of each contributor, as CONTRIBUTOR=VALIDATOR; other contributors' rows are left out",
    "--leave-out <file>": "file with the rows to leave out, from `datanet check --write`",
    ...ANY_HOST_OPTION,
    ...UNSIGNED_OPTION,
    "--mirror <urls...>": "further hosts that are asked for rows which the host does not have",
    "--without-missing":
      "publish also if rows that were approved or published before are nowhere to be had; default: stop and name them",
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...FORCED_OPTIONS,
  },
  examples: [
    "datanet publish 6 --account alice",
    "datanet publish 6 --leave-out leave-out.json --account alice",
    "datanet publish 6 --vouched 3=8 4=9 --account alice",
    "datanet publish 10 --host http://127.0.0.1:8560 --account alice",
    "datanet publish 6 --forced --account alice",
  ],
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const { host, leaveOut: leaveOutPath, mirror, validator, vouched: pairs } = options;
    if (host === undefined && mirror !== undefined)
      throw commandError("CMD_USAGE", "--mirror names hosts beside --host, which says what counts");
    if (host !== undefined) {
      if (leaveOutPath !== undefined || validator !== undefined || pairs !== undefined)
        throw commandError("CMD_USAGE", "with --host its records say who vouches and what is left out");
      return publishReviewed({ ...options, host }, datanetId, output);
    }
    const signer = await openSigner(options);
    const datanet = await getLeaf(signer.client, datanetId);
    const client = await signFor(signer, datanet);
    const validatorId =
      validator === undefined ? (await accountOf(client, signer.account.l1.address)).id : parseId(validator);
    const leaveOut = leaveOutPath === undefined ? undefined : await readLeaveOut(leaveOutPath, datanetId);
    const vouched = pairs === undefined ? null : parsePairs(pairs);
    const rule: VersionRule = {
      by: "validators",
      ...(leaveOut === undefined ? {} : { leaveOut }),
      validatorId: vouched === null ? validatorId : ({ contributorId }) => vouched.get(contributorId) ?? null,
    };
    const store = await openRowStore(options.rows);
    const prepared = await prepareVersion(client, {
      ...{ datanetId, store, rule, withoutMissing: options.withoutMissing === true },
      onProgress: showStep(output),
    });
    const { version } = prepared;
    const { facts, lines: sent } = await publish(
      signer,
      { client, datanet, prepared, store },
      options,
      output,
    );
    const { rowCount, withdrawn } = version;
    const payees = presentPayees(version.payees).map(([, payee]) => payee);
    const roots = {
      rowsRoot: hex32(version.rowsRoot),
      ownersCommitment: hex32(version.ownersCommitment),
      payeeRoot: hex32(version.payeeRoot),
    };
    const lines = [
      `datanet ${datanetId}: a version of ${counted(rowCount, "row")} in ${counted(payees.length, "payee")} (${facts.stage})`,
      ...(withdrawn.length > 0
        ? [`${counted(withdrawn.length, "row stays", "rows stay")} out, withdrawn by contributors`]
        : []),
      ...sent,
      ...passedOverLines(prepared.passedOver),
    ];
    const passedOver = passedOverFacts(prepared);
    output.answer(lines, { ...facts, datanetId, rowCount, withdrawn, payees, passedOver, ...roots });
  },
});

/** Signed, or with --forced through L1's queue; the Datanet's card stays. */
async function publish(
  signer: Signer,
  what: {
    readonly client: LedgerClient;
    readonly datanet: LedgerLeaf;
    readonly prepared: PreparedVersion;
    readonly store: RowStore;
    readonly hostUrl?: string;
  },
  options: GlobalOptions & ForcedOptions & { readonly wait: string },
  output: Output,
): Promise<ForcedOutcome> {
  const { client, datanet, ...parameters } = what;
  const { id: datanetId } = datanet;
  const throughL1 = async (version: PreparedVersion["version"]) => {
    const { publishThroughL1 } = await import("./forced-rows.ts");
    const publication = { datanetId, version, policy: datanet.datanet?.policy ?? 0n };
    return publishThroughL1(signer, publication, options, output);
  };
  const wait = async (sent: SendResult): Promise<ForcedOutcome> => {
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    return { stage, lines: [`operation ${sent.hash}`], facts: { ...sent, stage, batchNumber } };
  };
  const { outcome } = await publishPrepared(client, {
    ...parameters,
    datanetId,
    wait,
    ...(options.forced === true ? { publish: throughL1 } : {}),
    onProgress: showStep(output),
  });
  if (outcome !== null) return outcome;
  const { version } = datanet.datanet!;
  const stage = "published before";
  return {
    stage,
    lines: [`nothing was signed: it is version ${version} already`],
    facts: { stage, version },
  };
}

const STEPS: Readonly<Record<PublishProgress["step"], string>> = {
  rows: "bringing rows",
  records: "reading the signed records",
  hashing: "hashing the rows",
  signing: "signing the version",
  host: "bringing its list to the host",
};

const showStep =
  (output: Output) =>
  ({ done, step, total }: PublishProgress) =>
    output.progress(`${STEPS[step]}${done === undefined ? "" : `: ${done} of ${total}`}`);

async function publishReviewed(
  options: GlobalOptions &
    ForcedOptions & {
      readonly host: string;
      readonly rows: string;
      readonly wait: string;
      readonly withoutUnsigned?: boolean;
      readonly withoutMissing?: boolean;
      readonly mirror?: readonly string[];
    },
  datanetId: number,
  output: Output,
): Promise<void> {
  const signer = await openSigner(options);
  const datanet = await getLeaf(signer.client, datanetId);
  const client = await signFor(signer, datanet);
  const store = await openRowStore(options.rows);
  const { host: hostUrl } = options;
  const prepared = await prepareVersion(client, {
    ...{ datanetId, store, withoutMissing: options.withoutMissing === true },
    rule: { by: "records", hostUrl, mirrorUrls: options.mirror ?? [], ...unsignedOf(options) },
    onProgress: showStep(output),
  });
  const { dropped, leftOut, version } = prepared;
  const labels = prepared.labels!;
  const what = { client, datanet, prepared, store, hostUrl };
  const { facts, lines: sent } = await publish(signer, what, options, output);
  output.answer(
    [
      `datanet ${datanetId}: a version of ${counted(version.rowCount, "row")} in ${counted(presentPayees(version.payees).length, "payee")} (${facts.stage}); ${counted(leftOut.length, "row stays", "rows stay")} out${leftOut.length === 0 ? "" : ":"}`,
      ...renderTable(
        leftOut.map(({ contributorId, digest, why }) => [`  ${digest}`, `leaf ${contributorId}`, why]),
      ),
      ...sent,
      `${labelledCount(labels)} of ${counted(version.rowCount, "row")} have an accepted label; the labels' root is ${hex32(labels.root)}`,
      ...passedOverLines(prepared.passedOver),
      ...prepared.failedMirrors.map(({ code, hostUrl }) => `the mirror ${hostUrl} did not help: ${code}`),
      ...droppedLines(dropped),
    ],
    {
      ...facts,
      datanetId,
      rowCount: version.rowCount,
      leftOut,
      droppedCount: dropped.length,
      passedOver: passedOverFacts(prepared),
      failedMirrors: prepared.failedMirrors,
      rowsRoot: hex32(version.rowsRoot),
      labelledCount: labelledCount(labels),
      labelsRoot: hex32(labels.root),
    },
  );
}

const passedOverFacts = ({ passedOver }: Pick<PreparedVersion, "passedOver">) =>
  passedOver.map(({ rowsRoot, ...commit }) => ({ ...commit, rowsRoot: hex32(rowsRoot) }));

function parsePairs(pairs: readonly string[]): Map<number, number> {
  return new Map(
    pairs.map((pair) => {
      const [contributor, validator, ...more] = pair.split("=");
      if (validator === undefined || more.length > 0)
        throw commandError("CMD_USAGE", `"${pair}" is not CONTRIBUTOR=VALIDATOR`);
      return [parseId(contributor!), parseId(validator)];
    }),
  );
}
