/** What a server of models needs to claim what is drawn of them (challenger/claiming/auto-claim.ts). */

import { readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { modelFamilies } from "@openledger/models/registered/model-families";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import { type Address, zeroAddress } from "viem";
import type { AutoClaimModules, ClaimableAnswer } from "../claiming/auto-claim.ts";
import { ClaimThread } from "../claiming/claim-thread.ts";
import { ClaimingReport } from "../claiming/claiming-report.ts";
import { startClaiming } from "../claiming/start-claiming.ts";
import { inOrder } from "../sending/l1-queue.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { answerAvailabilityChallenges } from "./answer-availability-challenges.ts";
import { judgeOf } from "./approve-draws.ts";
import { promisesModelCommitment } from "./disputes-contracts.ts";
import { disputesSenderOf } from "./disputes-sender.ts";
import { sendingTo } from "./trace-sender.ts";
import { withdrawFromGames } from "./withdraw-from-games.ts";

/** @param openSender of the claimant */
export function drawClaimer(
  openSender: () => Promise<L1Sender>,
  { rollupAddress }: Pick<LedgerClient, "rollupAddress">,
  { base, folder, log, modelId }: Served & { readonly log: HelperLog },
): Pick<AutoClaimModules, "collect" | "judge" | "showLeaves"> {
  const progress = (line: string) => log.info({ modelId }, line);
  let known: Address | null = null;
  let read: Promise<PublishedModel> | null = null;
  return {
    async showLeaves({ game, publicClient }) {
      read ??= modelFamilies({ base }).then((families) => readModel(folder, families));
      const model = await read;
      const contract = { address: game, abi: traceGameAbi } as const;
      const registry = await publicClient.readContract({ ...contract, functionName: "modelCommitments" });
      if (registry === zeroAddress || !promisesModelCommitment(model)) return { answered: [], failures: [] };
      const sender = await disputesSenderOf(await openSender(), registry);
      return answerAvailabilityChallenges(sender, { model, folder, modelId, base }, progress);
    },
    async judge() {
      const sender = await openSender();
      // Looked for until it is there: the model may be registered while the service runs.
      known ??= await judgeOf(sender.publicClient, rollupAddress, modelId);
      return known === null ? null : sendingTo(sender, known);
    },
    collect: (judge) => withdrawFromGames(judge, progress),
  };
}

interface Served {
  readonly modelId: number;
  readonly folder: string;
  /** Where the model's base is, if its recipe does not find it. */
  readonly base: string | undefined;
}

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
  /** Folders of published models by their leaves. */
  readonly folders: ReadonlyMap<number, string>;
  readonly claimant: Address;
  readonly openSender: OpenSender;
  readonly log: HelperLog;
}

/** Claims what is drawn of these models, which are traced on one thread. `start` is called once they are served. */
export function claimsOf({ base, claimant, folders, log, openSender, rpcUrl }: ClaimingOptions) {
  const reports = new Map([...folders.keys()].map((modelId) => [modelId, new ClaimingReport(claimant)]));
  const start = (
    client: LedgerClient,
    answerOf: (modelId: number, receipt: bigint) => Promise<ClaimableAnswer | undefined>,
  ) => {
    const seat = { rpcUrl, rollup: client.rollupAddress, base, folders };
    const thread = new ClaimThread(seat, (modelId, line) => log.info({ modelId }, line));
    // A contract owes the account, whichever model it is for: two that collect at once would ask for the same.
    let last: Promise<unknown> = Promise.resolve();
    const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
      const done = last.then(work);
      last = done.catch(() => {});
      return done;
    };
    const running = [...reports].map(([modelId, report]) => {
      const served = { base, folder: folders.get(modelId)!, log, modelId };
      const { collect, judge, showLeaves } = drawClaimer(openSender, client, served);
      return startClaiming(
        { modelId, intervalMs: CLAIMING_INTERVAL_MS },
        {
          ...{ judge, showLeaves, collect: (of) => oneByOne(() => collect(of)) },
          ...{ client, log, report, tracer: thread.tracerOf(modelId) },
          answerOf: (receipt) => answerOf(modelId, receipt),
        },
      );
    });
    return {
      async stop() {
        const stopped = running.map((one) => one.stop());
        await thread.close();
        await Promise.all(stopped);
      },
    };
  };
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
