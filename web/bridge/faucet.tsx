/** Button of the bridge page, on the devnet alone, that sends test OPEN and ether to the visitor's wallet. */
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { getAddress } from "viem";
import { Button } from "../design/button.tsx";
import { lookAfter } from "../ledger/journey-watch.ts";
import type { Live } from "../ledger/live.ts";
import type { Session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";

interface FaucetProps {
  readonly live: Live;
  readonly session: Session;
  readonly info: SequencerInfo;
  readonly l1Url: string;
  /** True if funds are the first thing that the wallet needs. */
  readonly isMain: boolean;
}

/** Button that sends OPEN and ether to any wallet on the devnet. */
export function Faucet({ info, isMain, l1Url, live, session }: FaucetProps) {
  const action = useAction();
  const ask = () =>
    action.run(async () => {
      const { sendTestOpen } = await import("../ledger/test-wallet.ts");
      await sendTestOpen(l1Url, getAddress(info.tokenAddress), session.address);
      await lookAfter(live);
    });
  return (
    <>
      <Button isSmall isMain={isMain} isBusy={action.isBusy} onClick={() => void ask()}>
        Get 1,000 test OPEN
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </>
  );
}
