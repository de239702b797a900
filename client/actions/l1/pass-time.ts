/** Clock of a devnet's Ethereum node. The command `devnet pass-day`, the pages' button and the devnet itself move it. */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { createTestClient, http, publicActions } from "viem";
import { foundry } from "viem/chains";
import { clientError } from "../../client-errors.ts";
import { follow } from "../../sequencer/feed.ts";
import { getStatus } from "../../sequencer/ledger-reads.ts";
import type { SequencerAccess, SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { l1Error } from "./l1-result.ts";

/** Milliseconds between looks at the sequencer's clock, which follows Ethereum's newest block. */
const LOOK_MS = 300;
/** The bridge reads Ethereum's head every few seconds. */
const FOLLOW_TIMEOUT_MS = 60_000;

export interface PassTimeOptions {
  /** URL of the devnet's Ethereum node. */
  readonly rpcUrl: string;
  /** Seconds by which the clock moves on, more than 0. */
  readonly seconds: number;
  /** Sequencer whose clock has to follow, a client for example; null waits for none. */
  readonly sequencer: SequencerAccess | null;
  /** Called with the new block's time, in Unix seconds, before the sequencer has followed. */
  readonly onMoved?: (timestamp: number) => void;
  /** Milliseconds to wait for the sequencer. Default: a minute. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type PassTimeErrorCode =
  | "CLI_INPUT_INVALID"
  | "CLI_NOT_DEVNET"
  | "CLI_L1_REFUSED"
  | "CLI_WAIT_ENDED"
  | SequencerErrorCode;

/**
 * Lets time pass on a devnet: moves the clock of its Ethereum node on, for everybody, and waits until the sequencer's
 * clock has followed. Nobody moves a public chain's clock.
 * @returns the time of the new block, in Unix seconds
 * @throws CLI_NOT_DEVNET, CLI_INPUT_INVALID, CLI_L1_REFUSED, CLI_UNREACHABLE, CLI_WAIT_ENDED
 * @example
 * ```ts
 * const timestamp = await passTime({ rpcUrl, sequencer: client, seconds: 86_400 });
 * console.log(`it is ${new Date(1000 * timestamp).toISOString()} on the devnet`);
 * ```
 */
export async function passTime(options: PassTimeOptions): Promise<number> {
  const { onMoved, sequencer, signal, timeoutMs = FOLLOW_TIMEOUT_MS } = options;
  const timestamp = await moveClock(options);
  onMoved?.(timestamp);
  if (sequencer === null) return timestamp;
  const startedAtMs = Date.now();
  return follow(sequencer, "the wait for the sequencer's clock", {
    signal,
    topics: ["batches"],
    look: async () => ((await getStatus(sequencer)).l1.timestamp >= timestamp ? timestamp : null),
    beforeWait() {
      if (Date.now() - startedAtMs < timeoutMs) return LOOK_MS;
      throw clientError("CLI_WAIT_ENDED", "the sequencer has not seen the new time on Ethereum", {
        data: { reason: "timeout", timestamp },
      });
    },
  });
}

async function moveClock({ rpcUrl, seconds }: PassTimeOptions): Promise<number> {
  if (!Number.isSafeInteger(seconds) || seconds <= 0)
    throw clientError("CLI_INPUT_INVALID", `${seconds} is no whole number of seconds above 0`, {
      data: { reason: "no-seconds" },
    });
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(rpcUrl) }).extend(
    publicActions,
  );
  let chainId: number;
  try {
    chainId = await node.getChainId();
    if (chainId === DEVNET_CHAIN_ID) {
      await node.increaseTime({ seconds });
      await node.mine({ blocks: 1 });
      return Number((await node.getBlock()).timestamp);
    }
  } catch (cause) {
    throw l1Error(cause, "the move of the clock");
  }
  throw clientError(
    "CLI_NOT_DEVNET",
    `the node is of chain ${chainId}, and only a devnet's clock (chain ${DEVNET_CHAIN_ID}) can be moved`,
    { data: { chainId } },
  );
}
