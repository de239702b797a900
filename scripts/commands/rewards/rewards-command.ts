import { collectRewards } from "@openledger/client/actions/ledger/reward-operations";
import { getRewards } from "@openledger/client/sequencer/model-reads";
import type { LeafRewards } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { Command } from "commander";
import { readAccountFile } from "../../cli/account-file.ts";
import { LEAF_OPTION } from "../../cli/common-options.ts";
import { accountOf, accountsPath, openReader, openSigner, resolveLeaf, signFor } from "../../cli/context.ts";
import { withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { FORCED_OPTION, MAX_FEE_OPTION, maxFeeOf, UNCHECKED_OPTION } from "../money/forced-operation.ts";
import { addRewardsWhyCommand } from "./rewards-why-command.ts";

export function addRewardsCommands(program: Command): void {
  const rewards = withOptions(
    program.command("rewards").description("what rows have earned for an account: of every model, by payee"),
    { ...LEAF_OPTION },
  );
  withExample(rewards, "rewards --account bob", "rewards --leaf 4 --json");
  onRun(rewards, async ({ options, output }) => {
    const client = await openReader(options);
    const wanted = options.leaf ?? options.account;
    const leaves =
      wanted === undefined
        ? await Promise.all(
            readAccountFile(accountsPath(options)).accounts.map(async ({ name, address }) => ({
              name,
              leaf: await resolveLeaf(client, options, address).catch(() => null),
            })),
          )
        : [{ name: wanted, leaf: await resolveLeaf(client, options, wanted) }];
    const shown = await Promise.all(
      leaves.flatMap(({ name, leaf }) =>
        leaf === null ? [] : [getRewards(client, leaf.id).then((found) => ({ name, ...found }))],
      ),
    );
    const lines = renderTable([
      ["account", "model", "payee", "as", "rows", "earned (OPEN)", "collected", "collectable"],
      ...shown.flatMap(({ name, rewards: own }) => own.map((line) => describeLine(name, line))),
    ]);
    output.answer(
      shown.some(({ rewards: own }) => own.length > 0) ? lines : ["no rows of theirs are in a model"],
      {
        accounts: shown,
      },
    );
  });
  addCollect(rewards);
  addRewardsWhyCommand(rewards);
}

function describeLine(name: string, line: LeafRewards["rewards"][number]): string[] {
  const { modelId, payeeIndex, role, rowCount, earnedWei, collectedWei, collectableWei } = line;
  return [
    name,
    String(modelId),
    String(payeeIndex),
    role,
    String(rowCount),
    formatOpen(earnedWei),
    formatOpen(collectedWei),
    formatOpen(collectableWei),
  ];
}

function addCollect(parent: Command): void {
  const command = withOptions(
    parent
      .command("collect")
      .description("move everything that an account's rows have earned to its balance in the ledger"),
    {
      "--model <id>": "only of this model",
      ...FORCED_OPTION,
      ...UNCHECKED_OPTION,
      ...MAX_FEE_OPTION,
      ...WAIT_OPTION,
    },
  );
  withExample(
    command,
    "rewards collect --account bob",
    "rewards collect --model 15 --account vera --wait posted",
    "rewards collect --forced --rpc https://… --rollup 0x… --private-key-file key",
  );
  onRun(command, async ({ options, output }) => {
    const signer = await openSigner(options);
    const only = options.model === undefined ? null : parseId(options.model);
    if (options.forced === true) {
      const { collectThroughL1 } = await import("../money/forced-collections.ts");
      const isUnchecked = options.unchecked === true;
      await collectThroughL1(
        signer,
        { modelId: only, wait: options.wait, isUnchecked, ...maxFeeOf(options) },
        options,
        output,
      );
      return;
    }
    const leaf = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, leaf);
    const { rewards } = await getRewards(client, leaf.id);
    const open = rewards.filter(
      ({ collectableWei, modelId }) => collectableWei > 0n && (only === null || only === modelId),
    );
    const collections = [];
    for (const { modelId, payeeIndex, role, collectableWei } of open) {
      const { hash } = await collectRewards(client, { from: leaf.id, modelId, payeeIndex, role });
      const { stage } = await waitWithProgress(client, { hash }, options.wait, output);
      collections.push({ modelId, payeeIndex, role, collectableWei, hash, stage });
    }
    const totalWei = collections.reduce((sum, { collectableWei }) => sum + collectableWei, 0n);
    const lines = collections.map(
      ({ modelId, payeeIndex, role, collectableWei, stage }) =>
        `${formatOpen(collectableWei)} OPEN as ${role} of payee ${payeeIndex} of model ${modelId}: ${stage}`,
    );
    const summary =
      collections.length === 0
        ? "there is nothing to collect"
        : `${formatOpen(totalWei)} OPEN for leaf ${leaf.id}; take it to L1 with: openledger withdraw`;
    output.answer([...lines, summary], { leafId: leaf.id, totalWei, collections });
  });
}
