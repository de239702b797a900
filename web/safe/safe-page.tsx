/**
 * Page "#/safe/ADDRESS[/PROPOSAL]": a Safe owns leaves, a delegate acts. Its members propose operations for Ethereum's queue, sign them,
 * see who has signed, and execute, on one screen. Everything is judged by Ethereum; no service is asked.
 */
import { readSafe, type Safe } from "@openledger/client/safe/read-safe";
import { type SafeProposal, safeTxHashOf } from "@openledger/client/safe/safe-transaction";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { takeSafeProposal } from "@openledger/client/tasks/own-by-safe";
import { useEffect, useState } from "preact/hooks";
import { type Address, getAddress, isAddress } from "viem";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { l1Reader } from "../ledger/l1-reader.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { DelegateActs } from "./delegate-acts.tsx";
import { ProposalPart } from "./proposal-part.tsx";
import { loadProposals, proposals, storeProposal } from "./proposal-store.ts";
import { ProposeForm } from "./propose-form.tsx";
import { SafeFacts } from "./safe-facts.tsx";
import { SentPart } from "./sent-part.tsx";

const safeHref = (address: string) => `#/safe/${address}`;

export function SafePage(props: PageProps) {
  const { rest } = props;
  const text = rest[0] ?? "";
  const address = isAddress(text, { strict: false }) ? getAddress(text) : null;
  return (
    <>
      <section class="stack">
        <h1>A Safe owns, a delegate acts</h1>
        <p class="lead">
          The members of a Safe own an account, a Datanet or a model together. A delegate's key acts for it
          day by day. What the members decide goes through Ethereum's queue, and nobody can leave it out.
        </p>
      </section>
      {address === null ? (
        <ChooseSafe isWrong={text !== ""} />
      ) : (
        <OfSafe key={address} {...props} address={address} />
      )}
    </>
  );
}

function ChooseSafe({ isWrong }: { isWrong: boolean }) {
  const now = session.value;
  const [text, setText] = useState("");
  const isReady = isAddress(text.trim(), { strict: false });
  const open = () => {
    window.location.hash = safeHref(text.trim());
  };
  return (
    <section class="card stack narrow" aria-label="Choose a Safe">
      {isWrong && <Notice tone="wait" title="This link names no address of a Safe." />}
      <Field
        label="Address of the Safe"
        value={text}
        onInput={setText}
        placeholder="0x…"
        help="As your Safe's own app shows it."
      />
      <Button isMain isDisabled={!isReady} onClick={open}>
        Open
      </Button>
      {now?.isContract === true && (
        <p>
          <a href={safeHref(now.address)}>Open the connected wallet</a>
        </p>
      )}
    </section>
  );
}

function OfSafe(props: PageProps & { readonly address: Address }) {
  const { address, live, site } = props;
  const info = live.info.value;
  const now = session.value;
  const linkProblem = useLink(props, address);
  const reader = l1Reader(site);
  useEffect(() => {
    if (info !== null) loadProposals(info, address);
  }, [info === null, address]);
  const found = useAnswer<Safe | null>(live, `safe ${address} ${reader !== null}`, async () => {
    if (reader === null) return null;
    return readSafe(reader, address);
  });
  const owned = useAnswer<readonly LedgerLeaf[]>(live, `leaves of ${address}`, () =>
    findLeaves(site.sequencer, { owner: address }),
  );
  const safe = found.value ?? null;
  const leaves = owned.value ?? null;
  return (
    <>
      {linkProblem !== null && <ProblemNotice problem={linkProblem} />}
      {found.problem !== null && <ProblemNotice problem={found.problem} />}
      {owned.problem !== null && <ProblemNotice problem={owned.problem} />}
      {now === null && (
        <section class="card stack narrow">
          <h2>Connect the wallet of an owner</h2>
          <WalletChoice site={site} live={live} />
        </section>
      )}
      {now?.isContract === true && (
        <Notice tone="wait" title="The connected wallet is a contract, which signs nothing here.">
          <p>Connect the own wallet of one of the Safe's owners.</p>
        </Notice>
      )}
      {found.value === null && reader === null && (
        <p class="soft">This page knows no Ethereum node: connect a wallet to read the Safe.</p>
      )}
      {safe !== null && (
        <>
          {inOrder(proposals.value, safe.nonce).map((proposal) => (
            <ProposalPart key={safeTxHashOf(proposal)} {...props} proposal={proposal} />
          ))}
          {proposals.value.length === 0 && <p class="soft">This browser knows no proposal of this Safe.</p>}
          {now !== null && <SentPart {...props} safe={safe} />}
          {now !== null && leaves !== null && <ProposeForm {...props} leaves={leaves} safe={safe} />}
          {leaves !== null && <DelegateActs {...props} leaves={leaves} />}
          <SafeFacts {...props} leaves={leaves} safe={safe} />
        </>
      )}
    </>
  );
}

/** Proposals that wait, the next one first; then those whose nonce is used, the newest first. */
function inOrder(all: readonly SafeProposal[], nextNonce: number): readonly SafeProposal[] {
  const isOver = ({ nonce }: SafeProposal) => nonce < nextNonce;
  return [...all].sort((a, b) => {
    if (isOver(a) !== isOver(b)) return isOver(a) ? 1 : -1;
    return isOver(a) ? b.nonce - a.nonce : a.nonce - b.nonce;
  });
}

/** Takes the proposal of a link, once a wallet is connected to read Ethereum by. */
function useLink({ live, rest }: Pick<PageProps, "live" | "rest">, safe: Address): Problem | null {
  const [problem, setProblem] = useState<Problem | null>(null);
  const info = live.info.value;
  const client = session.value?.client ?? null;
  const packed = rest[1];
  useEffect(() => {
    if (info === null || packed === undefined || client === null) return;
    takeSafeProposal(client, { safe, sent: { packed } }).then(
      (proposal) => {
        storeProposal(info, proposal);
        window.location.hash = safeHref(safe);
      },
      (error: unknown) => setProblem(problemOf(error)),
    );
  }, [info === null, packed, client === null]);
  return problem;
}
