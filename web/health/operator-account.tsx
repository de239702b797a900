/**
 * Section "What the operator earns" of the health page: fees, gas and proofs of the last batches, in OPEN and ether, as the
 * sequencer reports them.
 */
import { getOperatorResult } from "@openledger/client/sequencer/fees";
import type { OperatorResult } from "@openledger/client/sequencer/sequencer-schemas";
import { formatEther } from "viem";
import { Badge } from "../design/badge.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount } from "../words/format.ts";
import { Open } from "../words/open.tsx";

/** Operator's income and costs. Not for a full node, which does not know them. */
export function OperatorAccount({ site, live }: Pick<PageProps, "site" | "live">) {
  const account = useAnswer(live, "account", () => getOperatorResult(site.sequencer));
  return account.value === undefined ? null : <Account account={account.value} />;
}

function Account({ account }: { account: OperatorResult }) {
  const { batchCount, incomeWei, l1CostEtherWei, proofCostWei, resultWei } = account;
  const tone = resultWei === null ? "info" : resultWei < 0n ? "bad" : "good";
  const state = resultWei === null ? "the price of OPEN is unknown" : resultWei < 0n ? "a loss" : "a profit";
  return (
    <section class="card stack">
      <div class="row">
        <h2>What the operator earns</h2>
        <span class="push" />
        <Badge tone={tone}>{state}</Badge>
      </div>
      <dl class="facts">
        <dt>
          {batchCount === 1
            ? "Fees of the last batch on Ethereum"
            : `Fees of the last ${showCount(batchCount)} batches on Ethereum`}
        </dt>
        <dd>
          <Open wei={incomeWei} />
        </dd>
        <dt>Ethereum's gas for them</dt>
        <dd>{Number(formatEther(l1CostEtherWei)).toPrecision(3)} ETH</dd>
        <dt>Their proofs</dt>
        <dd>
          <Open wei={proofCostWei} />
        </dd>
        {resultWei !== null && [
          <dt key="result">Result</dt>,
          <dd key="result=">
            {resultWei < 0n ? "−" : ""}
            <Open wei={resultWei < 0n ? -resultWei : resultWei} />
          </dd>,
        ]}
      </dl>
      <p class="soft small">
        As reported by the sequencer. Fees and gas are on Ethereum for anyone to check.
      </p>
    </section>
  );
}
