/** What a model's server needs to claim what is drawn of it (scripts/claiming/auto-claim.ts). */
import type { Address } from "viem";
import type { LedgerClient } from "../../../client/ledger-client.ts";
import type { AutoClaimModules } from "../../claiming/auto-claim.ts";
import type { GlobalOptions } from "../../cli/context.ts";
import type { L1Sender } from "../../cli/l1-sender.ts";
import type { HelperLog } from "../../settling/turn-report.ts";
import { judgeOf } from "./approve-draws.ts";
import { withdrawFromGames } from "./disputes-money.ts";
import { openPromised } from "./query-disputes.ts";
import { sendingTo } from "./trace-sender.ts";

/** @param openSender of the claimant */
export function drawClaimer(
  openSender: () => Promise<L1Sender>,
  { rollupAddress }: Pick<LedgerClient, "rollupAddress">,
  {
    folder,
    log,
    modelId,
    options,
  }: {
    readonly folder: string;
    readonly modelId: number;
    readonly options: GlobalOptions & { readonly base?: string };
    readonly log: HelperLog;
  },
): Pick<AutoClaimModules, "collect" | "judge" | "openModel"> {
  const progress = (line: string) => log.info({ modelId }, line);
  let known: Address | null = null;
  return {
    async judge() {
      const sender = await openSender();
      // Looked for until it is there: the model may be registered while the service runs.
      known ??= await judgeOf(sender.publicClient, rollupAddress, modelId);
      return known === null ? null : sendingTo(sender, known);
    },
    async openModel() {
      const { setting, ...opened } = await openPromised(
        folder,
        { ...options, modelId: `${modelId}` },
        progress,
      );
      return { ...opened, kernels: setting.kernels };
    },
    collect: (judge) => withdrawFromGames(judge, { progress }),
  };
}
