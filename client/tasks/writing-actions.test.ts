/**
 * Tests of the rule that pages, commands, tools and the devnet write by client/tasks alone: none of them imports an action of
 * `writing-actions.json`. `.dependency-cruiser.cjs` takes its rule from the same list.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { expect, test } from "vitest";
import list from "./writing-actions.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));
const DRAWN = /^(web|scripts|gateway|e2e\/devnet)\/.*\.tsx?$/;
const NOT_PRODUCT =
  /\.test\.tsx?$|\.fixtures\.ts$|(^|\/)testing\/|^scripts\/(bench|bundle\/build|errors|fuzz|packing|pages|prebuild|prebuilt|refusals|test)[./]/;
const IMPORT = /(?:^|\n)(?:import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"([^"]+)"|\bimport\("([^"]+)"\)/g;

/** Modules that a file imports more than types of. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(IMPORT)].flatMap(([, isType, names = "", from, dynamic]) => {
    const named = /^\{([\s\S]*)\}$/.exec(names)?.[1]?.split(",") ?? [];
    const areTypes = named.length > 0 && named.every((name) => /^\s*(type\s|$)/.test(name));
    return isType !== undefined || areTypes ? [] : [(from ?? dynamic)!];
  });
}

const ACTION = /^@openledger\/client\/(.*)$/;
const written = (path: string): string[] =>
  [...new Set(importsOf(path).flatMap((module) => ACTION.exec(module)?.[1] ?? []))]
    .filter((action) => list.includes(action))
    .sort();

test("no page, command, tool or step of the devnet imports a writing action", () => {
  const drawn = listedFiles().filter((path) => DRAWN.test(path) && !NOT_PRODUCT.test(path));
  expect(drawn.length).toBeGreaterThan(300);
  expect(drawn.filter((path) => written(path).length > 0)).toEqual([]);
  // A bench sends by itself: what the test looks for is there.
  expect(
    listedFiles().filter((path) => /^e2e\/(world|scenarios)\//.test(path) && written(path).length > 0),
  ).not.toEqual([]);
});

test("lists each action that signs an operation or sends a transaction", () => {
  const SENDERS = /\/(l1-transaction|send-operation|commit-data|send-settlement|force|deposit)\.ts$/;
  const sending = listedFiles()
    .filter((path) => /^client\/(?:actions\/.*|datanets\/.*)\.ts$/.test(path) && !path.endsWith(".test.ts"))
    .filter((path) => importsOf(path).some((module) => SENDERS.test(module)))
    .map((path) => path.slice("client/".length, -".ts".length));
  expect(sending.length).toBeGreaterThan(10);
  expect(sending.filter((action) => !list.includes(action))).toEqual([]);
});

test("has the drawings of each task import the tasks", () => {
  const DRAWINGS = {
    "approve-model": [
      "scripts/commands/datanet/datanet-model-command.ts",
      "web/datanets/models-tab.tsx",
      "e2e/devnet/steps/model.ts",
    ],
    "claim-rewards": [
      "scripts/commands/rewards/rewards-command.ts",
      "web/earnings/claim-rewards.ts",
      "e2e/devnet/steps/earn.ts",
    ],
    "close-epoch": [
      "scripts/commands/models/model-settle-command.ts",
      "web/factory/jobs/serve-part.tsx",
      "models/settling/daemon/auto-settle.ts",
      "e2e/devnet/steps/epoch.ts",
    ],
    contribute: [
      "scripts/commands/datanet/contribute-command.ts",
      "web/datanets/contribute/contributions.ts",
      "gateway/mcp/row-tools.ts",
      "e2e/devnet/steps/datanet.ts",
    ],
    "deposit-open": [
      "scripts/commands/money/deposit-command.ts",
      "web/bridge/start.ts",
      "e2e/devnet/steps/deposit.ts",
      "e2e/devnet/steps/fund.ts",
    ],
    "transfer-open": [
      "scripts/commands/money/transfer-command.ts",
      "web/bridge/start.ts",
      "e2e/devnet/steps/transfer.ts",
    ],
    "withdraw-open": [
      "scripts/commands/money/withdraw-command.ts",
      "scripts/commands/money/finalize-withdrawal-command.ts",
      "web/bridge/start.ts",
      "e2e/devnet/steps/withdraw.ts",
    ],
    "force-operations": [
      "scripts/commands/money/force-command.ts",
      "web/bridge/start.ts",
      "web/exit/money-part.tsx",
      "e2e/devnet/steps/withdraw.ts",
    ],
    "move-leaf": ["scripts/commands/account/move-command.ts", "web/wallet/move-leaf.ts"],
    "open-datanet": [
      "scripts/commands/datanet/datanet-command.ts",
      "web/datanets/new-card.tsx",
      "e2e/devnet/steps/datanet.ts",
    ],
    "send-once": [
      "gateway/asking/signed-payments.ts",
      "web/ledger/advance.ts",
      "web/datanets/contribute/contributions.ts",
      "e2e/devnet/job.ts",
    ],
    "export-version": ["scripts/commands/datanet/export-command.ts", "web/datanets/versions/version-work.ts"],
    "funded-account": ["gateway/account/gateway-account.ts"],
    "pay-for-answer": [
      "scripts/commands/models/model-ask.ts",
      "web/ask/pay-answer.ts",
      "gateway/asking/answer-payments.ts",
      "e2e/devnet/steps/ask.ts",
    ],
    "publish-card": [
      "scripts/commands/datanet/host-command.ts",
      "web/datanets/edit-card.tsx",
      "e2e/devnet/steps/host.ts",
    ],
    "publish-version": [
      "scripts/commands/datanet/publish-command.ts",
      "web/datanets/versions/version-work.ts",
      "e2e/devnet/steps/datanet.ts",
      "e2e/devnet/steps/host.ts",
    ],
    "register-model": [
      "scripts/commands/models/model-register.ts",
      "models/factory/register-job.ts",
      "e2e/devnet/steps/model.ts",
    ],
  };
  for (const [task, paths] of Object.entries(DRAWINGS))
    for (const path of paths) expect(importsOf(path), path).toContain(`@openledger/client/tasks/${task}`);
});
