/** Automatic claiming beside a model's server: docs/lm-disputes.md. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "viem";
import { readModel } from "../../attribution/model/model-directory.ts";
import { claimantOf } from "../../attribution/model/recipe-fields.ts";
import { commandError } from "../cli/cli-errors.ts";
import { modelFamilies } from "../cli/model-families.ts";
import { runTurns } from "../settling/turn-report.ts";
import { AutoClaimer, type AutoClaimModules } from "./auto-claim.ts";

/** @throws CMD_NOT_CLAIMANT where this account may not claim the model's queries; what `readModel` throws */
export async function requireClaimant(
  { base, modelFolder }: { readonly modelFolder: string; readonly base?: string | undefined },
  account: Address,
): Promise<void> {
  const { recipe } = await readModel(modelFolder, await modelFamilies({ base }));
  const claimant = claimantOf(recipe);
  if (claimant === account.toLowerCase()) return;
  const why =
    claimant === null ? "the model promises no claims" : `only ${claimant} claims the model's queries`;
  throw commandError("CMD_NOT_CLAIMANT", `${why}; the account is ${account}`, {
    data: { account, claimant },
  });
}

/** Claims until it is stopped. */
export function startClaiming(
  { intervalMs, modelId }: { readonly modelId: number; readonly intervalMs: number },
  modules: AutoClaimModules,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = runTurns("claiming", new AutoClaimer(modelId, modules), modules.log, {
    intervalMs,
    signal,
    sleep: (ms) => sleep(ms, undefined, { signal }).catch(() => {}),
  });
  return {
    async stop() {
      stopping.abort(new Error("the server stops"));
      await running;
    },
  };
}
