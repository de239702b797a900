/**
 * Context of the devnet's job (the deposits, payments, trainings and settlements of `npm start`), and helpers by which each of
 * its steps is done once, however often the devnet is killed.
 */
import type { DataMode } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import type { L1Result } from "@openledger/client/actions/l1/l1-result";
import type { L1Options, SignedTransaction } from "@openledger/client/actions/l1/l1-transaction";
import type {
  SendResult,
  SignedSubmission,
  SigningOptions,
} from "@openledger/client/actions/ledger/send-operation";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { follow } from "@openledger/client/sequencer/feed";
import type { WaitProgress, WaitResult, WaitStage, WaitTarget } from "@openledger/client/sequencer/wait-for";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { operateOnce, transactOnce } from "@openledger/client/tasks/send-once";
import { retry } from "@openledger/foundation/retry";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BackendName } from "@openledger/prover/backends";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import { devAccount } from "./accounts.ts";
import type { DevnetKeys } from "./circuits.ts";
import { PEOPLE, type PersonName } from "./config.ts";
import type { Console } from "./console.ts";
import type { Journal } from "./journal.ts";
import type { ModelPart } from "./parts.ts";
import type { DevnetPlan } from "./plan.ts";

/** Context of the devnet's job: people, services and stores that its steps work with. */
export interface Job {
  readonly console: Console;
  readonly journal: Journal;
  readonly people: Readonly<Record<PersonName, LedgerClient>>;
  readonly faucet: LedgerClient;
  readonly store: RowStore;
  readonly signal: AbortSignal;
  readonly plan: DevnetPlan;
  readonly rpcUrl: string;
  readonly deployment: Deployment;
  /** The rollup's circuits as L1 lists them. */
  readonly circuits: readonly RollupCircuit[];
  readonly proverBackend: BackendName;
  /** The Datanet host. */
  readonly hostUrl: string;
  /** Starts the answer server, which takes some seconds, before there is a model. */
  readonly startAnswers: () => void;
  /** Has the answer server serve a model of mia's. @returns the address of its routes */
  readonly serveModel: (part: ModelPart, modelId: number) => Promise<string>;
  /** Closes the open batch now, as an operator may, its data in this place. @returns its number; null where it holds nothing */
  readonly closeBatch: (source?: DataMode) => Promise<number | null>;
  /** Keys that are made beside the job. A prover makes the one that it lacks once more. */
  readonly keys: DevnetKeys;
  /** Closes batches from now on as soon as the prover has nothing to do. */
  readonly closeWhenIdle: () => void;
  /** Starts what the job has no use for. */
  readonly startOthers: () => Promise<void>;
  /** Has the pages say what is being done, and when the job may be over. */
  readonly announce: (doing: string, untilMs: number) => void;
}

export async function createPeople(options: {
  rpcUrl: string;
  rollupAddress: `0x${string}`;
  sequencerUrl: string;
}): Promise<{ people: Job["people"]; faucet: LedgerClient }> {
  const faucet = await createLedgerClient({ ...options, wallet: devAccount("faucet") });
  const clients = await Promise.all(
    PEOPLE.map(async (name) => {
      const wallet = devAccount(name);
      // The person's ledger key comes from the wallet, by one signature.
      const { rollupAddress } = options;
      const l2Key = await deriveKey({ wallet, chainId: faucet.chain.id, rollupAddress });
      return [name, await createLedgerClient({ ...options, wallet, l2Key })] as const;
    }),
  );
  return { people: Object.fromEntries(clients) as Record<PersonName, LedgerClient>, faucet };
}

const LOOK_MS = 1000;

/** Looks now, after each message of the sequencer, and once a second, until a look finds something. */
export function untilFound<Found>(
  job: Pick<Job, "signal" | "console" | "people">,
  what: string,
  look: () => Promise<Found | null>,
): Promise<Found> {
  const topics = ["operations", "batches"] as const;
  return withRetry(job, () =>
    follow(job.people.alice, what, { topics, signal: job.signal, look, beforeWait: () => LOOK_MS }),
  );
}

const RETRY_MS = 1000;
const RETRY_COUNT = 60;

/** Calls again while a service is away: it is being started again, or the devnet gives up by itself. */
export function withRetry<T>(job: Pick<Job, "signal" | "console">, act: () => Promise<T>): Promise<T> {
  return retry(act, {
    firstWaitMs: RETRY_MS,
    maxWaitMs: RETRY_MS,
    maxRetries: RETRY_COUNT,
    signal: job.signal,
    isPassing: (error) => isRollupError(error) && error.isRetryable,
    onRetry: (error) => job.console.progress(`${(error as Error).message}; trying again`),
  });
}

/** An L1 transaction that is sent once, however often the devnet is killed and started. */
export async function onceOnL1(
  job: Job,
  key: string,
  client: LedgerClient,
  act: (options: Required<Pick<L1Options, "onSigned">>) => Promise<L1Result>,
): Promise<L1Result> {
  const sign = () => act({ onSigned: ({ hash, raw }) => job.journal.set(key, { hash, raw }) });
  return withRetry(job, () =>
    transactOnce(client, { signed: job.journal.get<SignedTransaction>(key), sign }),
  );
}

/** An operation that is sent once; one that the sequencer has dropped is signed again. */
export async function onceOnLedger(
  job: Job,
  key: string,
  client: LedgerClient,
  act: (options: Required<Pick<SigningOptions, "onSigned">>) => Promise<SendResult>,
): Promise<SendResult> {
  const sign = () => act({ onSigned: (fresh) => job.journal.set(key, fresh) });
  return withRetry(job, () => operateOnce(client, { signed: job.journal.get<SignedSubmission>(key), sign }));
}

/** `waitFor` with progress on the terminal; ends when the devnet is stopped. */
export function waitWithConsole(
  job: Job,
  client: LedgerClient,
  target: WaitTarget,
  stage: WaitStage,
  what: string,
): Promise<WaitResult> {
  const onProgress = ({ stage: reached, elapsedMs, remainingMs }: WaitProgress) => {
    const estimate = remainingMs === null ? "" : `, about ${Math.ceil(remainingMs / 1000)} s to go`;
    job.console.progress(`${what}: ${reached} after ${Math.round(elapsedMs / 1000)} s${estimate}`);
  };
  return withRetry(job, () => waitFor(client, target, stage, { onProgress, signal: job.signal }));
}
