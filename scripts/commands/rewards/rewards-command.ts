import type { Command } from "commander";
import { claimRewards } from "../../../client/actions/ledger/claim-rewards.ts";
import { getRewards } from "../../../client/sequencer/model-reads.ts";
import type { LeafRewards } from "../../../client/sequencer/model-schemas.ts";
import { formatOpen } from "../../../client/sequencer/open-amount.ts";
import { readAccountFile } from "../../cli/account-file.ts";
import { accountOf, accountsPath, openReader, openSigner, resolveLeaf, signFor } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, waitWithProgress, withExample, withWait } from "../../cli/run-command.ts";
import {
  FORCED_OPTION,
  type ForcedOptions,
  MAX_FEE_OPTION,
  maxFeeOf,
  UNCHECKED_OPTION,
} from "../money/forced-operation.ts";
import { addRewardsWhyCommand } from "./rewards-why-command.ts";

export function addRewardsCommands(program: Command): void {
  const rewards = program
    .command("rewards")
    .description("what rows have earned for an account: of every model, by slot")
    .option(
      "--leaf <leaf>",
      "a leaf id, an account's name or an address; default: --account, or all accounts",
    );
  withExample(rewards, "rewards --account bob", "rewards --leaf 4 --json");
  onRun<{ leaf?: string }>(rewards, async ({ options, output }) => {
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
      ["account", "model", "slot", "as", "rows", "earned (OPEN)", "claimed", "claimable"],
      ...shown.flatMap(({ name, rewards: own }) => own.map((line) => describeLine(name, line))),
    ]);
    output.answer(
      shown.some(({ rewards: own }) => own.length > 0) ? lines : ["no rows of theirs are in a model"],
      {
        accounts: shown,
      },
    );
  });
  addClaim(rewards);
  addRewardsWhyCommand(rewards);
}

function describeLine(name: string, line: LeafRewards["rewards"][number]): string[] {
  const { modelId, slotIndex, role, rowCount, earnedWei, claimedWei, claimableWei } = line;
  return [
    name,
    String(modelId),
    String(slotIndex),
    role,
    String(rowCount),
    formatOpen(earnedWei),
    formatOpen(claimedWei),
    formatOpen(claimableWei),
  ];
}

function addClaim(parent: Command): void {
  const command = parent
    .command("claim")
    .description("move everything that an account's rows have earned to its balance in the ledger")
    .option("--model <id>", "only of this model")
    .option(...FORCED_OPTION)
    .option(...UNCHECKED_OPTION)
    .option(...MAX_FEE_OPTION);
  withWait(command, "acknowledged");
  withExample(
    command,
    "rewards claim --account bob",
    "rewards claim --model 15 --account vera --wait posted",
    "rewards claim --forced --rpc https://… --rollup 0x… --private-key-file key",
  );
  onRun<ForcedOptions & { model?: string; wait: string }>(command, async ({ options, output }) => {
    const signer = await openSigner(options);
    const only = options.model === undefined ? null : parseId(options.model);
    if (options.forced === true) {
      const { claimThroughL1 } = await import("../money/forced-claims.ts");
      const isUnchecked = options.unchecked === true;
      await claimThroughL1(
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
      ({ claimableWei, modelId }) => claimableWei > 0n && (only === null || only === modelId),
    );
    const claims = [];
    for (const { modelId, slotIndex, role, claimableWei } of open) {
      const { hash } = await claimRewards(client, { from: leaf.id, modelId, slotIndex, role });
      const { stage } = await waitWithProgress(client, { hash }, options.wait, output);
      claims.push({ modelId, slotIndex, role, claimableWei, hash, stage });
    }
    const totalWei = claims.reduce((sum, { claimableWei }) => sum + claimableWei, 0n);
    const lines = claims.map(
      ({ modelId, slotIndex, role, claimableWei, stage }) =>
        `${formatOpen(claimableWei)} OPEN as ${role} of slot ${slotIndex} of model ${modelId}: ${stage}`,
    );
    const summary =
      claims.length === 0
        ? "there is nothing to claim"
        : `${formatOpen(totalWei)} OPEN for leaf ${leaf.id}; take it to L1 with: openledger withdraw`;
    output.answer([...lines, summary], { leafId: leaf.id, totalWei, claims });
  });
}
