/**
 * `openledger rewards` and `rewards claim`: what the rows of accounts earned by model and payee, in OPEN, and its move to a
 * balance.
 */
import { getRewards } from "@openledger/client/sequencer/model-reads";
import type { LeafRewards } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { type ClaimableReward, claimAllRewards } from "@openledger/client/tasks/claim-rewards";
import type { Command } from "commander";
import { readAccountFile } from "../../cli/account-file.ts";
import { LEAF_OPTION } from "../../cli/common-options.ts";
import { accountOf, accountsPath, openReader, openSigner, resolveLeaf, signFor } from "../../cli/context.ts";
import { withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, onRun, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { addRewardsWhyCommand } from "./rewards-why-command.ts";
import { addWhatIfCommand } from "./what-if-command.ts";

export function addRewardsCommands(program: Command): void {
  const rewards = withOptions(
    program.command("rewards").description("show rewards of an account's rows: by model and payee"),
    { ...LEAF_OPTION },
  );
  withExample(rewards, "rewards --account bob", "rewards --leaf 4 --json");
  onRun(rewards, async ({ options, output }) => {
    const client = await openReader(options);
    const leafName = options.leaf ?? options.account;
    const leaves =
      leafName === undefined
        ? await Promise.all(
            readAccountFile(accountsPath(options)).accounts.map(async ({ name, address }) => ({
              name,
              leaf: await resolveLeaf(client, options, address).catch(() => null),
            })),
          )
        : [{ name: leafName, leaf: await resolveLeaf(client, options, leafName) }];
    const shown = await Promise.all(
      leaves.flatMap(({ name, leaf }) =>
        leaf === null ? [] : [getRewards(client, leaf.id).then((found) => ({ name, ...found }))],
      ),
    );
    const lines = renderTable([
      ["account", "model", "payee", "as", "rows", "earned (OPEN)", "claimed", "claimable"],
      ...shown.flatMap(({ name, rewards: own }) => own.map((line) => describeLine(name, line))),
    ]);
    output.answer(
      shown.some(({ rewards: own }) => own.length > 0) ? lines : ["no rows of theirs are in a model"],
      {
        accounts: shown,
      },
    );
  });
  addClaimRewards(rewards);
  addRewardsWhyCommand(rewards);
  addWhatIfCommand(rewards);
}

function describeLine(name: string, line: LeafRewards["rewards"][number]): string[] {
  const { modelId, payeeIndex, role, rowCount, earnedWei, claimedWei, claimableWei } = line;
  return [
    name,
    String(modelId),
    String(payeeIndex),
    role,
    String(rowCount),
    formatOpen(earnedWei),
    formatOpen(claimedWei),
    formatOpen(claimableWei),
  ];
}

const addClaimRewards = command({
  usage: "claim",
  about: "claim rewards: move all that an account's rows have earned to its balance on the ledger",
  options: {
    "--model <id>": "only rewards of this model",
    ...WAIT_OPTION,
  },
  examples: ["rewards claim --account bob", "rewards claim --model 15 --account vera --wait posted"],
  forcedAs: "force claimRewards",
  run: async ({ options, output }) => {
    const signer = await openSigner(options);
    const only = options.model === undefined ? null : parseId(options.model);
    const leaf = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, leaf);
    const rewardClaims: (ClaimableReward & { hash: string; stage: string })[] = [];
    const { totalWei } = await claimAllRewards(client, {
      from: leaf.id,
      ...(only === null ? {} : { modelId: only }),
      onClaimed: async ({ sent: { hash }, ...reward }) => {
        const { stage } = await waitWithProgress(client, { hash }, options.wait, output);
        rewardClaims.push({ ...reward, hash, stage });
      },
    });
    const lines = rewardClaims.map(
      ({ modelId, payeeIndex, role, claimableWei, stage }) =>
        `${formatOpen(claimableWei)} OPEN as ${role} of payee ${payeeIndex} of model ${modelId}: ${stage}`,
    );
    const summary =
      rewardClaims.length === 0
        ? "there is nothing to claim"
        : `${formatOpen(totalWei)} OPEN for leaf ${leaf.id}; take it to L1 with: openledger withdraw`;
    output.answer([...lines, summary], { leafId: leaf.id, totalWei, rewardClaims });
  },
});
