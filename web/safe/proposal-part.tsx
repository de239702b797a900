/** One proposal of a Safe: what its bytes do, what is signed, who has signed by Ethereum's owners of now, and what can be done. */
import {
  packProposal,
  type SafeProposal,
  safeTxHashOf,
  writeProposal,
} from "@openledger/client/safe/safe-transaction";
import {
  executeSafeProposal,
  readSafeProposalState,
  type SafeProposalState,
  signSafeProposal,
} from "@openledger/client/tasks/own-by-safe";
import { ensureChain } from "@openledger/client/wallet";
import { useState } from "preact/hooks";
import { isAddressEqual } from "viem";
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import type { PageProps } from "../ledger/page.ts";
import { type Session, session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { callFacts, callTitle } from "./call-facts.tsx";
import { OwnerName } from "./owner-name.tsx";
import { forgetProposal, storeProposal } from "./proposal-store.ts";

interface ProposalPartProps extends Pick<PageProps, "live" | "site"> {
  readonly proposal: SafeProposal;
}

type Status = SafeProposalState["status"];
const STATUS: Readonly<Record<Status, readonly [Tone, string]>> = {
  waits: ["wait", "waits for owners"],
  ready: ["good", "can be executed"],
  "earlier-first": ["wait", "an earlier one comes first"],
  executed: ["good", "executed"],
  "nonce-used": ["bad", "another was executed instead"],
};

const FAULT_WORDS = {
  "not-an-owner": "is by no owner of the Safe, now",
  "other-transaction": "is for something else",
  "contract-signature": "is a contract's, which is not taken here",
  "pre-validated": "only says that Ethereum has an approval",
  malformed: "is malformed",
} as const;

export function ProposalPart({ live, proposal, site }: ProposalPartProps) {
  const now = session.value;
  const hash = safeTxHashOf(proposal);
  const about = `proposal ${hash} ${proposal.signatures.map(({ signature }) => signature).join()} ${now?.address}`;
  const { problem, value: state } = useAnswer(live, about, async () =>
    now === null ? null : readSafeProposalState(now.client, proposal),
  );
  const [tone, word] = state == null ? (["plain", "not read yet"] as const) : STATUS[state.status];
  const title = state == null ? "Proposal" : callTitle(state.call);
  return (
    <article class="card stack" aria-label={`${title}, nonce ${proposal.nonce}`}>
      <div class="row">
        <h2>{title}</h2>
        <span class="push" />
        <Badge tone={tone}>{word}</Badge>
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {state != null && <FactList facts={callFacts(state.call)} />}
      {state != null && <Signers live={live} site={site} state={state} />}
      <details>
        <summary>What is signed</summary>
        <FactList
          isSmall
          facts={[
            ["To", <Identifier key="to" value={proposal.to} label="the contract that is called" />],
            ["Value", "0 ether"],
            ["Data", <Identifier key="data" value={proposal.data} label="the call's bytes" />],
            ["Nonce", showCount(proposal.nonce)],
            ["Chain", String(proposal.chainId)],
            ["safeTxHash", <Identifier key="hash" value={hash} label="the Safe's hash" />],
          ]}
        />
        <p class="soft small">
          A plain call: no ether, no delegate call, no refund. Your wallet shows the same values; compare the
          hash.
        </p>
      </details>
      {now !== null && state != null && <Acts live={live} now={now} proposal={proposal} state={state} />}
      <PassOn live={live} proposal={proposal} />
    </article>
  );
}

function Signers({
  live,
  site,
  state,
}: Pick<PageProps, "live" | "site"> & { readonly state: SafeProposalState }) {
  const { owners, refused, safe, signedCount, status } = state;
  const isOver = status === "executed" || status === "nonce-used";
  const words = { signed: "signed", approved: "approved on Ethereum", waiting: "has not signed" } as const;
  return (
    <>
      {!isOver && (
        <p>
          <strong>
            {signedCount} of {safe.threshold}
          </strong>{" "}
          signatures that it takes
        </p>
      )}
      <ul class="left-out-list" aria-label="Owners">
        {owners.map(({ address, isContract, state: own }) => (
          <li key={address} class="row">
            <OwnerName address={address} live={live} site={site} />
            <span class="push" />
            <Badge tone={own === "waiting" ? "plain" : "good"}>
              {own === "waiting" && isContract ? "a contract: approves on Ethereum" : words[own]}
            </Badge>
          </li>
        ))}
      </ul>
      {refused.length > 0 && (
        <Notice tone="wait" title="Some signatures do not count.">
          {refused.map(({ fault, owner }) => (
            <p key={owner}>
              That of <Identifier value={owner} label="the signer" /> {FAULT_WORDS[fault]}.
            </p>
          ))}
        </Notice>
      )}
    </>
  );
}

interface ActsProps extends Pick<PageProps, "live"> {
  readonly now: Session;
  readonly proposal: SafeProposal;
  readonly state: SafeProposalState;
}

function Acts({ live, now, proposal, state }: ActsProps) {
  const signing = useAction();
  const executing = useAction();
  const own = state.owners.find(({ address }) => isAddressEqual(address, now.address));
  const onChain = () => ensureChain(now.wallet.provider, { chainId: now.client.chain.id, rpcUrl: null });
  const sign = () =>
    signing.run(async () => {
      await onChain();
      storeProposal(live.info.value!, await signSafeProposal(now.client, proposal));
    });
  const execute = () =>
    executing.run(async () => {
      await onChain();
      await executeSafeProposal(now.client, { proposal });
      live.ring();
    });
  const { executedBy, status } = state;
  if (executedBy !== null)
    return (
      <p class="small soft">
        By the transaction <Identifier value={executedBy} label="the transaction" />. The next batch takes the
        entry.
      </p>
    );
  if (status === "nonce-used") return null;
  return (
    <>
      <div class="row">
        {own?.state === "waiting" && !own.isContract && (
          <Button isMain={status !== "ready"} isBusy={signing.isBusy} onClick={() => void sign()}>
            Sign
          </Button>
        )}
        {status === "ready" && (
          <Button isMain isBusy={executing.isBusy} onClick={() => void execute()}>
            Execute
          </Button>
        )}
        {own === undefined && <span class="soft small">The connected wallet is no owner of this Safe.</span>}
      </div>
      {signing.problem !== null && <ProblemNotice problem={signing.problem} />}
      {executing.problem !== null && <ProblemNotice problem={executing.problem} />}
    </>
  );
}

/** Ways to the other owners: a link, the text, a file. */
function PassOn({ live, proposal }: Pick<PageProps, "live"> & { readonly proposal: SafeProposal }) {
  const [copied, setCopied] = useState("");
  const copy = (what: string, text: string) =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(`The ${what} is copied.`),
      () => window.prompt("Copy it from here", text),
    );
  const link = () => {
    const { origin, pathname } = window.location;
    return `${origin}${pathname}#/safe/${proposal.safe}/${packProposal(proposal)}`;
  };
  const text = writeProposal(proposal);
  return (
    <div class="row">
      <Button isSmall onClick={() => void copy("link", link())}>
        Copy the link
      </Button>
      <Button isSmall onClick={() => void copy("text", text)}>
        Copy the text
      </Button>
      <Button
        isSmall
        onClick={() => saveFile(`safe-proposal-${proposal.nonce}.json`, new TextEncoder().encode(text))}
      >
        Save as a file
      </Button>
      <Button isSmall onClick={() => forgetProposal(live.info.value!, proposal)}>
        Forget
      </Button>
      <span class="soft small" role="status">
        {copied}
      </span>
    </div>
  );
}
