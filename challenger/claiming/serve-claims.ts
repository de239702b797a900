/** The challenger that a model's server embeds: it proposes and defends what is drawn of the models that are served. */

import type { LedgerClient } from "@openledger/client/ledger-client";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import type { Address } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { startChallenger } from "../challenger-thread.ts";
import { inOrder } from "../sending/l1-queue.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { ClaimingReport } from "./claiming-report.ts";
import type { ClaimableAnswer } from "./propose-claims.ts";

/** Windows and players' times are days. */
const CLAIMING_INTERVAL_MS = 10_000;

export type OpenSender = () => Promise<L1Sender>;

/** All that a server sends for its owner: one transaction after the other. It is opened where it is first asked for. */
export function sharedSender(open: OpenSender, log: HelperLog): OpenSender {
  let opened: Promise<L1Sender> | null = null;
  return () => {
    opened ??= open()
      .then((sender) => inOrder(sender, (line) => log.info({}, line)))
      .catch((error: unknown) => {
        opened = null;
        throw error;
      });
    return opened;
  };
}

export interface ClaimingOptions {
  readonly rpcUrl: string;
  /** Where bases are that recipes do not find. */
  readonly base: string | undefined;
  /** Models that promise claims. */
  readonly modelIds: readonly number[];
  /** Folder of the one model that is served, or of all, each in a folder named by its id. */
  readonly places: { readonly model: string } | { readonly models: string };
  /** Keeps what was read, found and spent. */
  readonly folder: string;
  readonly claimant: Address;
  readonly openSender: OpenSender;
  readonly log: HelperLog;
}

/** `start` is called once they are served. */
export function claimsOf(options: ClaimingOptions) {
  const { base, claimant, folder, log, modelIds, openSender, places, rpcUrl } = options;
  const reports = new Map(modelIds.map((modelId) => [modelId, new ClaimingReport(claimant)]));
  const start = (
    client: LedgerClient,
    answerOf: (modelId: number, receipt: bigint) => Promise<ClaimableAnswer | undefined>,
  ) =>
    startChallenger({
      ...{ client, reports, openSender, account: claimant, answerOf, log },
      setting: {
        ...{ rpcUrl, rollup: client.rollupAddress, folder, mostFeesWei: 0n, everyMs: CLAIMING_INTERVAL_MS },
        roles: new Set(["defend", "propose"]),
        places: { ...places, base },
      },
    });
  return { reports, start };
}

interface Helper {
  view(): object;
  metrics(): Promise<string>;
}

/** What a model's server tells of those that run beside it; undefined for none. */
export function withClaiming(modelId: number, settling: Helper | undefined, claiming: Helper | undefined) {
  if (claiming === undefined) return settling;
  return {
    view: () => ({ ...(settling?.view() ?? { modelId, stage: null }), claiming: claiming.view() }),
    metrics: async () =>
      (await Promise.all([settling, claiming].map((one) => one?.metrics() ?? ""))).join("\n"),
  };
}

/**
 * Those that promise claims: an account claims for all of them, or for none.
 * @throws CMD_NOT_CLAIMANT where another one claims for one of them, or none promises it
 */
export function requireClaimantOfAll(
  models: readonly { readonly modelId: number; readonly claimant: string | null }[],
  account: Address,
): readonly number[] {
  const promised = models.filter(({ claimant }) => claimant !== null);
  const other = promised.find(({ claimant }) => claimant !== account.toLowerCase());
  if (other === undefined && promised.length > 0) return promised.map(({ modelId }) => modelId);
  const why =
    other === undefined
      ? "no model that is served promises claims"
      : `only ${other.claimant} claims the queries of model ${other.modelId}`;
  throw challengerError("CMD_NOT_CLAIMANT", `${why}; the account is ${account}`, {
    data: { account, claimant: null, ...other },
  });
}
