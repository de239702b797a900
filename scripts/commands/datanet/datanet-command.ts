import { readFile } from "node:fs/promises";
import { collectVersion, contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { getLeaf, getOperation, listOperations } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { CARD_OPTION, FIRST_BALANCE_OPTION } from "../../cli/common-options.ts";
import { accountOf, openReader, openSigner, signFor } from "../../cli/context.ts";
import { defineOptions, withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { addCleaningCommands } from "./cleaning-command.ts";
import { addDatanetCheck } from "./datanet-check-command.ts";
import { addDatanetIndex } from "./datanet-index-command.ts";
import { addApproveModel, addRevokeModel } from "./datanet-model-command.ts";
import { addDatanetVerify } from "./datanet-verify-command.ts";
import { addHostCommands } from "./host-command.ts";
import { addHostPeopleCommands } from "./host-people-command.ts";
import { labelledRows } from "./label-rows.ts";
import { readLeaveOut } from "./leave-out-file.ts";
import { addSuggestCommand } from "./suggest-command.ts";

export function addDatanetCommands(program: Command): void {
  const datanet = program
    .command("datanet")
    .description("shared data sets: their rows live in a store, their roots in the ledger");
  withExample(datanet, "datanet show 6");
  addCreate(datanet);
  addContribute(datanet);
  addDatanetCheck(datanet);
  addPublish(datanet);
  addApproveModel(datanet);
  addRevokeModel(datanet);
  addDatanetVerify(datanet);
  addDatanetIndex(datanet);
  addShow(datanet);
  addHostCommands(datanet);
  addCleaningCommands(datanet);
  addHostPeopleCommands(datanet);
  addSuggestCommand(datanet);
}

const STORE_OPTION = defineOptions({
  "--rows <folder>": { about: "the store that holds the rows", fallback: workspacePaths.rows },
});

function addCreate(parent: Command): void {
  const command = withOptions(
    parent.command("create").description("open a datanet owned and signed for by the account"),
    {
      ...FIRST_BALANCE_OPTION,
      ...WAIT_OPTION,
    },
  );
  withExample(command, "datanet create --account alice --amount 2");
  onRun(command, async ({ options, output }) => {
    const amountWei = parseOpen(options.amount);
    const signer = await openSigner(options);
    const payer = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, payer);
    const { keyX } = client.l2Key!;
    const sent = await createDatanet(client, {
      from: payer.id,
      l1Owner: signer.account.l1.address,
      keyX,
      amountWei,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const id = (await getOperation(client, sent.hash))?.createdId ?? null;
    output.answer(
      [`datanet ${id} holds ${formatOpen(amountWei)} OPEN (${stage})`, `operation ${sent.hash}`],
      {
        ...sent,
        datanetId: id,
        amountWei,
        stage,
        batchNumber,
      },
    );
  });
}

function addContribute(parent: Command): void {
  const command = withOptions(
    parent
      .command("contribute <datanet> <files...>")
      .description("store files as rows and commit their root to the datanet"),
    {
      "--lines": "every line of a file is a row; by default a file is one row",
      "--labelled":
        "every line is a row as JSON: a labelled e-mail or digit, or a text (docs/attribution.md)",
      ...CARD_OPTION,
      ...STORE_OPTION,
      ...WAIT_OPTION,
    },
  );
  withExample(
    command,
    "datanet contribute 6 mail/*.eml --account bob",
    "datanet contribute 6 facts.txt --lines --account bob",
    "datanet contribute 6 mails.jsonl --labelled --account bob",
    "datanet contribute 6 mails.csv --card card.json --account bob",
  );
  onRun(command, async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const paths = args.slice(1);
    const contents = await Promise.all(paths.map(readRowFile));
    const rows =
      options.card !== undefined
        ? await rowsByCard(options.card, paths, contents)
        : options.labelled === true
          ? contents.flatMap((content, i) => labelledRows(content, paths[i]!))
          : options.lines === true
            ? contents.flatMap(splitLines)
            : contents;
    const signer = await openSigner(options);
    const payer = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, payer);
    const store = await openRowStore(options.rows);
    const { contribution, ...sent } = await contributeRows(client, {
      from: payer.id,
      datanetId,
      store,
      rows,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const rowsRoot = hex32(contribution.rowsRoot);
    const lines = [
      `${contribution.rowCount} rows for datanet ${datanetId} (${stage}); keep them to yourself until the operation is final`,
      `root ${rowsRoot}, operation ${sent.hash}`,
    ];
    output.answer(lines, {
      ...sent,
      datanetId,
      rowsRoot,
      rowCount: contribution.rowCount,
      stage,
      batchNumber,
    });
  });
}

function addPublish(parent: Command): void {
  const command = withOptions(
    parent
      .command("publish <datanet>")
      .description("publish a version of all rows that were contributed so far"),
    {
      "--validator <leaf>": "the leaf id that vouches for the rows; default: the account's",
      "--vouched <pairs...>":
        "who vouches for whose rows, as CONTRIBUTOR=VALIDATOR; rows of others are left out",
      "--leave-out <file>": "rows to leave out: what `datanet check --write` has written",
      ...STORE_OPTION,
      ...WAIT_OPTION,
    },
  );
  withExample(
    command,
    "datanet publish 6 --account alice",
    "datanet publish 6 --leave-out leave-out.json --account alice",
    "datanet publish 6 --vouched 3=8 4=9 --account alice",
  );
  onRun(command, async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const signer = await openSigner(options);
    const datanet = await getLeaf(signer.client, datanetId);
    const client = await signFor(signer, datanet);
    const validatorId =
      options.validator === undefined
        ? (await accountOf(client, signer.account.l1.address)).id
        : parseId(options.validator);
    const leaveOut =
      options.leaveOut === undefined ? undefined : await readLeaveOut(options.leaveOut, datanetId);
    const store = await openRowStore(options.rows);
    output.progress("hashing the rows");
    const vouched = options.vouched === undefined ? null : parsePairs(options.vouched);
    const version = await collectVersion(client, {
      datanetId,
      store,
      ...(leaveOut === undefined ? {} : { leaveOut }),
      validatorId: vouched === null ? validatorId : ({ contributorId }) => vouched.get(contributorId) ?? null,
    });
    await storeVersion(store, version);
    const sent = await publishVersion(client, { datanetId, version });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const { rowCount, earners } = version;
    const roots = {
      rowsRoot: hex32(version.rowsRoot),
      ownersCommitment: hex32(version.ownersCommitment),
      earnerRoot: hex32(version.earnerRoot),
    };
    const lines = [
      `datanet ${datanetId}: a version of ${rowCount} rows in ${earners.length} earners (${stage})`,
      `operation ${sent.hash}`,
    ];
    output.answer(lines, { ...sent, datanetId, rowCount, earners, ...roots, stage, batchNumber });
  });
}

function addShow(parent: Command): void {
  const command = parent
    .command("show <datanet>")
    .description("version, rows and contributions of a datanet");
  withExample(command, "datanet show 6", "datanet show 6 --json");
  onRun(command, async ({ options, args, output }) => {
    const client = await openReader(options);
    const leaf = await getLeaf(client, parseId(args[0]!));
    if (leaf.datanet == null)
      throw commandError("CMD_USAGE", `leaf ${leaf.id} is no datanet but of kind ${leaf.kind}`);
    const operations = await listOperations(client, leaf.id, { limit: 200 });
    const contributions = operations
      .filter(({ kind, b }) => kind === "commitData" && b === leaf.id)
      .map(({ a, amountCode, words, status, hash }) => ({
        contributorId: a,
        rowCount: Number(amountCode),
        rowsRoot: hex32(words[0]!),
        status,
        hash,
      }))
      .reverse();
    const { version, rowCount, publishedAt, ...roots } = leaf.datanet;
    const published =
      version === 0
        ? "nothing published"
        : `version ${version} of ${rowCount} rows, published ${new Date(publishedAt * 1000).toISOString()}`;
    const lines = [
      `datanet ${leaf.id} of ${leaf.l1Owner}: ${published}`,
      `${formatOpen(leaf.balanceWei)} OPEN, ${contributions.length} contributions:`,
      ...renderTable(
        contributions.map((c) => [`  leaf ${c.contributorId}`, `${c.rowCount} rows`, c.status, c.rowsRoot]),
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
      earnerRoot: hex32(roots.earnerRoot),
      contributions,
    });
  });
}

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

/** @throws DNT_CARD_INVALID, DNT_FILE_UNREADABLE */
async function rowsByCard(cardPath: string, paths: readonly string[], contents: readonly Uint8Array[]) {
  const { nameCard } = await import("@openledger/datanets/card/card");
  const { formatOf, readRowsOf } = await import("@openledger/datanets/rows/read-rows");
  const { card } = nameCard(JSON.parse(new TextDecoder().decode(await readRowFile(cardPath))));
  const rows: Uint8Array[] = [];
  for (const [i, content] of contents.entries())
    rows.push(...(await readRowsOf(card, formatOf(paths[i]!), content)));
  return rows;
}

async function readRowFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  }
}

function splitLines(content: Uint8Array): Uint8Array[] {
  const lines = new TextDecoder().decode(content).split(/\r?\n/);
  return lines.filter((line) => line !== "").map((line) => new TextEncoder().encode(line));
}
