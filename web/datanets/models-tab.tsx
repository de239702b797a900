/**
 * Tab "Models" of a Datanet's page: models trained on its rows, their prices (wei) and parts, who has recomputed them, and the
 * owner's approval or its end.
 */

import { approveModel, revokeModel } from "@openledger/client/actions/ledger/model-operations";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { unknownCount } from "@openledger/datanets/terms/terms-rule";
import { useState } from "preact/hooks";
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { approvalTime } from "../hosts/approval-time.ts";
import { ForbiddenRows } from "../hosts/forbidden-rows.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { PassTime } from "../hosts/pass-time.tsx";
import { DifferenceNotice, RecomputedBy } from "../hosts/recomputation-parts.tsx";
import { differing, sameBytes, useRecomputations, type Verification } from "../hosts/recomputations.ts";
import { ownClient, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCounted, showDuration } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { PaymentShares } from "../words/payment-shares.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { type ApprovalTerms, approvalTerms, registeredRecipe } from "./approval-terms.ts";
import { BoardPart } from "./board-part.tsx";

/** The newest ones, which wait for their owner's answer. */
const MODELS_SHOWN = 30;

/** The models that learnt from the rows, and the owner's approval, without which none of them earns. */
export function ModelsTab(props: TabProps) {
  const { facts, live, site, visitor } = props;
  const { problem, value: models } = useAnswer(live, `models of ${facts.id}`, async () => {
    const found = await findLeaves(site.sequencer, { datanetId: facts.id });
    const ids = found.map(({ id }) => id).sort((a, b) => b - a);
    return Promise.all(ids.slice(0, MODELS_SHOWN).map((id) => getModel(site.sequencer, id)));
  });
  const isWaiting = models?.some((model) => stateOf(model, facts) === "wants") === true;
  return (
    <div class="beside">
      <section class="card stack" aria-label="Models">
        <h2>Models of these rows</h2>
        <p class="soft small">
          Anyone who can read the rows can train a model on them. A model takes payments only after the
          Datanet's owner approves it. Each payment then pays the people whose rows were used.
        </p>
        {problem !== null && <ProblemNotice problem={problem} />}
        {models === undefined && problem === null && <p class="soft">Loading …</p>}
        {models?.length === 0 && (
          <p class="soft">
            No model is registered yet. <a href="#/factory">Train one in the factory</a>.
          </p>
        )}
        <ul class="requests">
          {models?.map((model) => (
            <li key={model.id}>
              <ModelEntry {...props} model={model} />
            </li>
          ))}
        </ul>
      </section>
      <div class="stack">
        {ownClient(props) !== null ? (
          <section class="card stack-s">
            <h2>You own this Datanet</h2>
            <p class="soft">
              Approve the models that may earn from it. Without your approval, a model takes no payments.
            </p>
          </section>
        ) : (
          isWaiting &&
          visitor.client === null && (
            <NeedsKey {...props} toDo="approve models of your Datanet">
              {() => <></>}
            </NeedsKey>
          )
        )}
        <WhenSection {...props} />
        <BoardPart {...props} />
      </div>
    </div>
  );
}

/** Time from which a model of the present version can be approved. Shown before anybody trains one. */
function WhenSection({ facts, live, site }: TabProps) {
  if (facts.ledger.version === 0 || facts.ledger.rowCount === 0) return null;
  const { at, leftMs } = approvalTime(live, facts.ledger.publishedAt);
  return (
    <section class="card stack-s">
      <h2>Version {facts.ledger.version}</h2>
      <p class="soft">
        {leftMs === 0
          ? "A model trained on it can be approved now."
          : `Contributors have a day to review a version. A model trained on it can be approved from ${at} (in ${showDuration(leftMs)}).`}
      </p>
      <PassTime leftMs={leftMs} live={live} site={site} />
    </section>
  );
}

type State = "earns" | "approved" | "waits" | "wants" | "early" | "old";
const STATES: Readonly<Record<State, readonly [Tone, string]>> = {
  earns: ["good", "approved, takes payments"],
  approved: ["good", "approved, not yet activated"],
  waits: ["wait", "approved here, awaiting other Datanets"],
  wants: ["wait", "awaiting approval"],
  early: ["plain", "not yet activated"],
  old: ["plain", "of an earlier version"],
};

/**
 * State of a model for this Datanet. Only models of the present version can be approved; an approval outlives the
 * version. The ledger names no version of a further Datanet.
 */
function stateOf(leaf: LedgerModelLeaf, { id, ledger }: TabProps["facts"]): State {
  const { counters, model } = leaf;
  if (counters.isApproved) return counters.isReady ? "earns" : "approved";
  if (approvalsOf(leaf).some((one) => one.id === id && one.hasApproved)) return "waits";
  if (model.datanetId === id && model.version !== ledger.version) return "old";
  // Its activation shows the ledger whose payees are which Datanet's.
  return model.furtherDatanets.length > 0 && !counters.isReady ? "early" : "wants";
}

function ModelEntry(props: TabProps & { model: LedgerModelLeaf }) {
  const { facts, model } = props;
  const own = ownClient(props);
  const { priceWei } = model.counters;
  const { version } = model.model;
  const others = approvalsOf(model).filter(({ id }) => id !== facts.id);
  const state = stateOf(model, facts);
  const [tone, word] = STATES[state];
  const datanetIds = approvalsOf(model).map(({ id }) => id);
  const found = useRecomputations(props, { modelId: model.id, datanetIds }).value?.verifications ?? [];
  return (
    <>
      <div class="row">
        <strong>
          Model <LeafLink id={model.id} />
        </strong>
        <span class="soft small">
          {model.model.datanetId === facts.id ? `trained on version ${version}` : "trained on these rows"}
          {others.map(({ id }) => (
            <span key={id}>
              , with Datanet <LeafLink id={id} />
            </span>
          ))}
        </span>
        <span class="push" />
        <Badge tone={tone}>{word}</Badge>
      </div>
      <dl class="facts">
        <dt>Owner</dt>
        <dd>
          <Identifier value={model.l1Owner} label="the owner's address" />
        </dd>
        <dt>Price of an answer</dt>
        <dd>
          <Open wei={priceWei} />
        </dd>
        <PaymentShares split={model.model} />
      </dl>
      <DifferenceNotice found={found} modelId={model.id} datanetIds={datanetIds} />
      <RecomputedBy found={found} />
      {own !== null && state !== "old" && state !== "early" && (
        <Approval {...props} client={own} found={found} isApproved={state !== "wants"} />
      )}
      {state === "early" && (
        <p class="soft small">A model of several Datanets can be approved once it is activated.</p>
      )}
      {state === "old" && (
        <p class="soft small">
          Only models of version {facts.ledger.version} can be approved now. The model's owner can train it
          again.
        </p>
      )}
    </>
  );
}

interface ApprovalProps extends TabProps {
  readonly client: LedgerClient;
  readonly model: LedgerModelLeaf;
  /** Verifications by those who have recomputed the model. */
  readonly found: readonly Verification[];
  readonly isApproved: boolean;
}

function Approval({ client, facts, found, isApproved, live, model, place, site }: ApprovalProps) {
  const { isBusy, problem, run } = useAction();
  const [isPreviewed, setPreviewed] = useState(false);
  const { at, leftMs } = approvalTime(live, facts.ledger.publishedAt);
  const ids = { datanetId: facts.id, modelId: model.id };
  const approve = () =>
    run(async () => {
      // Again, at the signature: contributors may have signed other terms meanwhile.
      await requireApprovable(client, { ...place, recipe: (await registeredRecipe(site, model)).recipe });
      const { hash: _hash, ...statics } = staticsOf(model);
      await approveModel(client, { ...ids, statics });
      live.ring();
    });
  const revoke = () =>
    run(async () => {
      await revokeModel(client, ids);
      live.ring();
    });
  return (
    <div class="stack-s">
      {isApproved ? (
        <div class="row">
          <Button isSmall isBusy={isBusy} onClick={() => void revoke()}>
            Revoke approval
          </Button>
          <span class="soft small">Earlier payments are settled as usual.</span>
        </div>
      ) : (
        <>
          {leftMs > 0 && (
            <Notice tone="info" title={`You can approve it from ${at}, in ${showDuration(leftMs)}.`}>
              <p>Until then, contributors can check what the version contains and what it leaves out.</p>
            </Notice>
          )}
          <div class="row">
            <Button
              isMain={!isPreviewed}
              isSmall
              isDisabled={leftMs > 0}
              onClick={() => setPreviewed(!isPreviewed)}
            >
              {isPreviewed ? "Not now" : `Approve model ${model.id}`}
            </Button>
          </div>
          {isPreviewed && (
            <ApprovalPreview
              found={found}
              isBusy={isBusy}
              model={model}
              place={place}
              client={client}
              site={site}
              onApprove={() => void approve()}
            />
          )}
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}

interface PreviewProps extends Pick<ApprovalProps, "client" | "found" | "model" | "place" | "site"> {
  readonly isBusy: boolean;
  readonly onApprove: () => void;
}

/** Grounds of an approval, shown before it is signed: the rows' terms, and who has recomputed the model, or that nobody has. */
function ApprovalPreview(props: PreviewProps) {
  const { found, isBusy, model, onApprove } = props;
  const { id: modelId } = model;
  const { problem, value: terms } = useLoad(`terms ${modelId}`, () => approvalTerms(props));
  const differingCount = differing(found).length;
  const same = sameBytes(found);
  const isRecomputed = same.length > 0 && differingCount === 0;
  return (
    <section class="stack-s" aria-label="What you approve">
      {isRecomputed ? (
        <Notice tone="good" title={`Model ${modelId} was recomputed: the same bytes.`}>
          <p>
            Signed by{" "}
            {same.map(({ leafId }, i) => (
              <span key={leafId}>
                {i > 0 && ", "}
                <LeafLink id={leafId} />
              </span>
            ))}
            . Decide whether you trust them.
          </p>
        </Notice>
      ) : differingCount > 0 ? (
        <Notice tone="bad" title={`A recomputation of model ${modelId} gave different bytes.`}>
          <p>Recompute it yourself before you approve it.</p>
        </Notice>
      ) : (
        <Notice tone="wait" title={`Nobody has recomputed model ${modelId} yet.`}>
          <p>
            No one has confirmed that it was trained on your rows. You rely on its owner for the scores of the
            rows.
          </p>
        </Notice>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {terms !== undefined ? (
        <TermsFound {...terms} />
      ) : (
        problem === null && <p class="soft">Reading the terms of the rows …</p>
      )}
      <div class="row">
        <Button
          isMain
          isSmall
          isBusy={isBusy}
          isDisabled={terms === undefined || terms.terms === null}
          onClick={onApprove}
        >
          {isRecomputed ? "Sign the approval" : "Approve without a recomputation"}
        </Button>
        <span class="soft small">Its payments then go to the people whose rows were used.</span>
      </div>
    </section>
  );
}

function TermsFound({ forbidding, terms, unread }: ApprovalTerms) {
  const unknown = terms === null ? 0 : unknownCount(terms.rows);
  return (
    <>
      {terms === null ? (
        <ForbiddenRows rows={forbidding} />
      ) : (
        <p class="soft small">
          The terms of the rows let a model answer for pay. Its licence: {terms.licence ?? "none is given"}.
          {unknown > 0 && ` The terms of ${showCounted(unknown, "row")} are not known to machines.`} This is a
          machine's reading, and no legal advice.
        </p>
      )}
      {unread !== null && (
        <Notice tone="wait" title={`${unread}.`}>
          <p>So its own licence was not compared with the terms of the rows.</p>
        </Notice>
      )}
    </>
  );
}
