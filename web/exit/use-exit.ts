/** Hooks of the exit panel: when the rollup can be frozen, and what it owes an address, read from Ethereum alone. */

import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type FreezeOutlook, readFreezeOutlook } from "@openledger/verifier/exits/freeze";
import { type LeaveResult, type LeaveSteps, leaveRollup } from "@openledger/verifier/exits/leave";
import type { ExitProver } from "@openledger/verifier/exits/prove-exits";
import type { RestoredLedger } from "@openledger/verifier/restore/restore-ledger";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Address } from "viem";
import { type Problem, problemOf } from "../words/problem.tsx";
import type { Access } from "./access.ts";
import { awaitSentExit } from "./sent-store.ts";

/** Interval between two looks at Ethereum. */
const LOOK_INTERVAL_MS = 4_000;

export interface Outlook {
  readonly value: FreezeOutlook | null;
  readonly problem: Problem | null;
  readonly look: () => Promise<void>;
}

/** Reads the outlook again every few seconds. */
export function useOutlook(rollup: RollupContract): Outlook {
  const [value, setValue] = useState<FreezeOutlook | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const look = async () => {
    try {
      setValue(await readFreezeOutlook(rollup));
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  useEffect(() => {
    void look();
    const timer = setInterval(() => void look(), LOOK_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [rollup]);
  return { value, problem, look };
}

export interface Money {
  /** null until it was looked for. */
  readonly value: LeaveResult | null;
  /** Present activity, in words; null if there is none. */
  readonly doing: string | null;
  readonly problem: Problem | null;
  /** Ledger of the last look, rebuilt from L1; null before the first. */
  readonly restored: () => RestoredLedger | null;
  /** Rebuilds the ledger; with an account also takes out its money. */
  readonly run: (account: LeaveSteps["account"]) => Promise<void>;
}

/** Looks for what the rollup owes `owner` when the page opens. */
export function useMoney({ blobs, chainId, rollup }: Access, owner: Address, prover: ExitProver): Money {
  const [value, setValue] = useState<LeaveResult | null>(null);
  const [doing, setDoing] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isRunning = useRef(false);
  const ledger = useRef<RestoredLedger | null>(null);
  const run = async (account: LeaveSteps["account"]) => {
    if (isRunning.current) return;
    isRunning.current = true;
    setProblem(null);
    setDoing("waiting for what was sent before");
    const selection = { owner };
    const onRestored = (restored: RestoredLedger) => {
      ledger.current = restored;
    };
    const steps = { selection, prover, onProgress: setDoing, onRestored };
    blobs.onProgress = setDoing;
    try {
      await awaitSentExit(rollup.client, { chainId, rollupAddress: rollup.address }, owner);
      if (account !== null) await leaveRollup(rollup, { ...steps, account });
    } catch (error) {
      setProblem(problemOf(error));
    }
    try {
      // Ethereum's present state, also after a failure: some steps may be done.
      setValue(await leaveRollup(rollup, { ...steps, account: null, isKeyCheck: account === null }));
    } catch (error) {
      setProblem((earlier) => earlier ?? problemOf(error));
    }
    isRunning.current = false;
    setDoing(null);
  };
  useEffect(() => {
    setValue(null);
    void run(null);
  }, [rollup, owner]);
  return { value, doing, problem, run, restored: () => ledger.current };
}
