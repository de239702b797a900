/**
 * Panel of both exit pages, the served one and the single file: what Ethereum says of the rollup, the freeze, and the visitor's
 * money with the way out.
 */
import { useEffect, useMemo } from "preact/hooks";
import { Identifier } from "../design/identifier.tsx";
import { showCount } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import type { Access, Account } from "./access.ts";
import type { ExitTools } from "./exit-tools.ts";
import { FreezePart } from "./freeze-part.tsx";
import { MoneyPart } from "./money-part.tsx";
import { pageProver } from "./page-prover.ts";
import { useMoney, useOutlook } from "./use-exit.ts";

interface ExitPanelProps {
  readonly access: Access;
  readonly account: Account | null;
  readonly tools: ExitTools;
}

export function ExitPanel({ access, account, tools }: ExitPanelProps) {
  const outlook = useOutlook(access.rollup);
  return (
    <>
      <section class="card stack" aria-label="The rollup">
        <h2>The rollup</h2>
        <dl class="facts">
          <dt>Chain</dt>
          <dd>{showCount(access.chainId)}</dd>
          <dt>Contract</dt>
          <dd>
            <Identifier value={access.rollup.address} label="the contract's address" />
          </dd>
        </dl>
        {outlook.problem !== null && <ProblemNotice problem={outlook.problem} />}
        <FreezePart access={access} account={account} outlook={outlook} />
      </section>
      {account !== null && (
        <AccountPart
          key={account.address}
          access={access}
          account={account}
          tools={tools}
          isFrozen={outlook.value?.isFrozen === true}
          onSent={outlook.look}
        />
      )}
    </>
  );
}

interface AccountProps extends ExitPanelProps {
  readonly account: Account;
  readonly isFrozen: boolean;
  readonly onSent: () => Promise<void>;
}

function AccountPart({ access, account, tools, isFrozen, onSent }: AccountProps) {
  const prover = useMemo(() => pageProver(tools), [tools]);
  const money = useMoney(access, account.address, prover);
  const { doing, value } = money;
  // Frozen since the last look: now it can be taken out, and is shown so.
  useEffect(() => {
    if (isFrozen && doing === null && value?.isFrozen === false) void money.run(null);
  }, [isFrozen, doing, value]);
  return <MoneyPart access={access} account={account} money={money} onSent={() => void onSent()} />;
}
