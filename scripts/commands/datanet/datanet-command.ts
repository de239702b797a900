/** `openledger datanet`: the group of a Datanet's commands, with create and show; the others are in files of their own. */
import { recoverPublicKey } from "@openledger/circuits/field/curve/eddsa";
import { readHistory } from "@openledger/client/actions/data/list-commits";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { openDatanet } from "@openledger/client/tasks/open-datanet";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { type Command, InvalidArgumentError } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { FIRST_BALANCE_OPTION } from "../../cli/common-options.ts";
import { accountOf, openReader, openSigner, signFor } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { addDatanetIndex } from "../spans/spans-command.ts";
import { addCleaningCommands } from "./cleaning-command.ts";
import { addContribute } from "./contribute-command.ts";
import { addDatanetCheck } from "./datanet-check-command.ts";
import { addApproveModel } from "./datanet-model-command.ts";
import { addDatanetVerify } from "./datanet-verify-command.ts";
import { addExport } from "./export-command.ts";
import { addHostCommands } from "./host-command.ts";
import { addHostPeopleCommands } from "./host-people-command.ts";
import { addPreview } from "./preview-command.ts";
import { addPublish } from "./publish-command.ts";
import { addReport } from "./report-command.ts";
import { addSuggestCommand } from "./suggest-command.ts";
import { addWithdrawRow } from "./withdraw-row-command.ts";

/** Adds all commands of the group. */
export function addDatanetCommands(program: Command): void {
  const datanet = program
    .command("datanet")
    .description("shared data sets: rows are kept in a store, their roots on the ledger");
  withExample(datanet, "datanet show 6");
  addCreate(datanet);
  addPreview(datanet);
  addContribute(datanet);
  addDatanetCheck(datanet);
  addPublish(datanet);
  addApproveModel(datanet);
  addDatanetVerify(datanet);
  addDatanetIndex(datanet);
  addShow(datanet);
  addHostCommands(datanet);
  addExport(datanet);
  addReport(datanet);
  addCleaningCommands(datanet);
  addWithdrawRow(datanet);
  addHostPeopleCommands(datanet);
  addSuggestCommand(datanet);
}

const addCreate = command({
  usage: "create",
  about: "create a Datanet that the account owns and signs for",
  options: {
    ...FIRST_BALANCE_OPTION,
    "--key <key>": { about: "key that signs for it, as a group's; default: the account's", parse: parseKey },
    ...WAIT_OPTION,
  },
  examples: ["datanet create --account alice --amount 2"],
  run: async ({ options, output }) => {
    const amountWei = parseOpen(options.amount);
    const signer = await openSigner(options);
    const payer = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, payer);
    const keyX = options.key ?? client.l2Key!.keyX;
    const l1Owner = signer.account.l1.address;
    const opened = await openDatanet(client, { from: payer.id, l1Owner, keyX, amountWei });
    const { datanetId } = opened;
    const sent = opened.sent!;
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    output.answer(
      [`datanet ${datanetId} holds ${formatOpen(amountWei)} OPEN (${stage})`, `operation ${sent.hash}`],
      {
        ...sent,
        datanetId,
        amountWei,
        stage,
        batchNumber,
      },
    );
  },
});

/** A usable key, by its x-coordinate. @throws InvalidArgumentError */
function parseKey(text: string): bigint {
  if (/^0x[0-9a-f]{64}$/.test(text) && recoverPublicKey(BigInt(text)) !== null) return BigInt(text);
  throw new InvalidArgumentError("no key of the ledger");
}

const addShow = command({
  usage: "show <datanet>",
  about: "show version, rows and contributions of a Datanet",
  examples: ["datanet show 6", "datanet show 6 --json"],
  run: async ({ options, args, output }) => {
    const client = await openReader(options);
    const leaf = await getLeaf(client, parseId(args[0]!));
    if (leaf.datanet == null)
      throw commandError("CMD_USAGE", `leaf ${leaf.id} is no datanet but of kind ${leaf.kind}`);
    const { commits } = await readHistory(client, leaf.id);
    const contributions = commits.map(({ contributorId, operation, rowCount, rowsRoot }) => ({
      contributorId,
      rowCount,
      rowsRoot: hex32(rowsRoot),
      status: operation.status,
      ...(operation.hash === null ? { queueIndex: operation.queueIndex } : { hash: operation.hash }),
    }));
    const { version, rowCount, publishedAt, ...roots } = leaf.datanet;
    const published =
      version === 0
        ? "nothing published"
        : `version ${version} of ${counted(rowCount, "row")}, published ${new Date(publishedAt * 1000).toISOString()}`;
    const lines = [
      `datanet ${leaf.id} of ${leaf.l1Owner}: ${published}`,
      `${formatOpen(leaf.balanceWei)} OPEN, ${contributions.length} contributions:`,
      ...renderTable(
        contributions.map((c) => [
          `  leaf ${c.contributorId}`,
          counted(c.rowCount, "row"),
          c.status,
          c.rowsRoot,
        ]),
      ),
    ];
    output.answer(lines, {
      id: leaf.id,
      l1Owner: leaf.l1Owner,
      balanceWei: leaf.balanceWei,
      version,
      rowCount,
      publishedAt,
      rowsRoot: hex32(roots.rowsRoot),
      ownersCommitment: hex32(roots.ownersCommitment),
      payeeRoot: hex32(roots.payeeRoot),
      contributions,
    });
  },
});
