/** Button, on the devnet alone, that lets Ethereum's clock jump over a wait, such as the day before a model can be approved. */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { Button } from "../design/button.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAction } from "../ledger/use-action.ts";
import { showDuration } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";

/** Margin above the difference between the node's clock and the last block's. */
const MARGIN_SECONDS = 60;

interface PassTimeProps extends Pick<PageProps, "live" | "site"> {
  /** Milliseconds of Ethereum's time to wait; 0 shows no button. */
  readonly leftMs: number;
  /** False where Ethereum alone has to see the time, as a vote's delay. */
  readonly isOfLedger?: boolean;
}

/** Button beside a time that has to pass. On the devnet anybody may skip it; elsewhere nothing is shown. */
export function PassTime({ isOfLedger = true, leftMs, live, site }: PassTimeProps) {
  const passing = useAction();
  const { l1Url } = site;
  if (leftMs === 0 || l1Url === null || live.info.value?.chainId !== DEVNET_CHAIN_ID) return null;
  const pass = () =>
    passing.run(async () => {
      const { passTime } = await import("@openledger/client/actions/l1/pass-time");
      await passTime({
        rpcUrl: l1Url,
        seconds: Math.ceil(leftMs / 1_000) + MARGIN_SECONDS,
        sequencer: isOfLedger ? site.sequencer : null,
      });
      live.ring();
    });
  return (
    <div class="stack-s">
      <div class="row">
        <Button isSmall isBusy={passing.isBusy} onClick={() => void pass()}>
          {`Let ${showDuration(leftMs)} pass`}
        </Button>
        <span class="soft small">This is a test network. Its clock moves for everyone.</span>
      </div>
      {passing.problem !== null && <ProblemNotice problem={passing.problem} />}
    </div>
  );
}
