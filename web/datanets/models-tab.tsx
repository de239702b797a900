/**
 * Tab "Models" of a Datanet's page: models trained on its rows, their prices (wei) and parts, who has recomputed them, and the
 * owner's approval or its end.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import {
  type ApprovalGrounds,
  type ApprovalGroundsParameters,
  type ApprovalState,
  approvalState,
  checkApproval,
  notRecomputedWords,
  revokeApproval,
  SKIP_RECOMPUTATION,
  signApproval,
} from "@openledger/client/tasks/approve-model";
import { compareInputs } from "@openledger/client/tasks/compare-inputs";
import { type ForbiddingRows, unknownCount } from "@openledger/datanets/terms/terms-rule";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { useState } from "preact/hooks";
import { fetchPublished } from "../ask/served-models.ts";
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Check } from "../design/field.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { approvalTime } from "../hosts/approval-time.ts";
import { ForbiddenRows } from "../hosts/forbidden-rows.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { PassTime } from "../hosts/pass-time.tsx";
import { DifferenceNotice, RecomputedBy } from "../hosts/recomputation-parts.tsx";
import { useRecomputations } from "../hosts/recomputations.ts";
import { ownClient, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCounted, showDuration } from "../words/format.ts";
import { AboutInputs } from "../words/inputs-words.tsx";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { PaymentShares } from "../words/payment-shares.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { AboutVectors } from "../words/vectors-words.tsx";
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

const STATES: Readonly<Record<ApprovalState, readonly [Tone, string]>> = {
  earns: ["good", "approved, takes payments"],
  approved: ["good", "approved, not yet activated"],
  waits: ["wait", "approved here, awaiting other Datanets"],
  wants: ["wait", "awaiting approval"],
  early: ["plain", "not yet activated"],
  old: ["plain", "of an earlier version"],
};

const stateOf = (leaf: LedgerModelLeaf, { id, ledger: { version } }: TabProps["facts"]) =>
  approvalState(leaf, { id, version });

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
      <RecomputedBy found={found} live={props.live} site={props.site} />
      {own !== null && state !== "old" && state !== "early" && (
        <Approval {...props} client={own} isApproved={state !== "wants"} />
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
  readonly isApproved: boolean;
}

function Approval({ client, facts, isApproved, live, model, place, site }: ApprovalProps) {
  const { isBusy, problem, run } = useAction();
  const [isPreviewed, setPreviewed] = useState(false);
  const { at, leftMs } = approvalTime(live, facts.ledger.publishedAt);
  const approval: ApprovalGroundsParameters = {
    datanetId: facts.id,
    modelId: model.id,
    askHost: (ask) => ask(place.hostUrl),
    hostUrls: site.datanetHosts,
    readPublished: async () => (await fetchPublished(site, model.id)).published,
    compareInputs: (published) =>
      compareInputs({
        recipe: published.recipe,
        readRows: async () =>
          (await fetchPublished(site, model.id)).readRows(published, { client, leafId: facts.id }),
      }),
  };
  const sign = (work: () => Promise<unknown>) =>
    run(async () => {
      await work();
      live.ring();
    });
  return (
    <div class="stack-s">
      {isApproved ? (
        <div class="row">
          <Button
            isSmall
            isBusy={isBusy}
            onClick={() =>
              void sign(() => revokeApproval(client, { datanetId: facts.id, modelId: model.id }))
            }
          >
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
              approval={approval}
              client={client}
              isBusy={isBusy}
              onSign={(parameters) => void sign(() => signApproval(client, parameters))}
            />
          )}
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}

interface PreviewProps {
  readonly approval: ApprovalGroundsParameters;
  readonly client: LedgerClient;
  readonly isBusy: boolean;
  readonly onSign: (approval: ApprovalGroundsParameters) => void;
}

/** Grounds of an approval, shown before it is signed: the rows' terms, and who has recomputed the model; or what refuses it. */
function ApprovalPreview({ approval, client, isBusy, onSign }: PreviewProps) {
  const { datanetId, modelId } = approval;
  const [skipRecomputation, setSkip] = useState(false);
  const chosen = { ...approval, skipRecomputation };
  const about = `grounds ${datanetId} ${modelId} ${skipRecomputation}`;
  const { problem, value } = useLoad(about, async () => {
    try {
      return { about, forbidding: [], grounds: await checkApproval(client, chosen) };
    } catch (error) {
      if (!isRollupError(error, "DNT_TERMS_FORBID")) throw error;
      const { forbidding } = error.data as { readonly forbidding: readonly ForbiddingRows[] };
      return { about, forbidding, grounds: null };
    }
  });
  // An earlier outcome stays until the next one is there.
  const checked = problem === null && value?.about === about ? value : null;
  return (
    <section class="stack-s" aria-label="What you approve">
      {problem !== null && <ProblemNotice problem={problem} />}
      {checked === null && problem === null && <p class="soft">Checking the grounds …</p>}
      {checked !== null && checked.grounds === null && <ForbiddenRows rows={checked.forbidding} />}
      {checked?.grounds != null && <GroundsFound {...checked.grounds} modelId={modelId} />}
      {(skipRecomputation || problem?.code === "ATT_NOT_RECOMPUTED") && (
        <Check
          label="Approve without a recomputation"
          help={`${sentence(SKIP_RECOMPUTATION)} Nobody you rely on has confirmed that it was trained on your rows.`}
          isChecked={skipRecomputation}
          onCheck={setSkip}
        />
      )}
      <div class="row">
        <Button
          isMain
          isSmall
          isBusy={isBusy}
          isDisabled={checked?.grounds == null}
          onClick={() => {
            // The rows are compared above, and the signature binds none of it.
            const { compareInputs: _, ...signed } = chosen;
            onSign(signed);
          }}
        >
          Sign the approval
        </Button>
        <span class="soft small">Its payments then go to the people whose rows were used.</span>
      </div>
    </section>
  );
}

const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

function GroundsFound({
  byRecipe,
  inputs,
  isRecipeRead,
  modelId,
  recomputation,
  terms,
  vectors,
}: ApprovalGrounds & { readonly modelId: number }) {
  const unknown = terms === null ? 0 : unknownCount(terms.rows);
  return (
    <>
      {recomputation.by === "others" ? (
        <Notice tone="good" title={`Model ${modelId} was recomputed: the same bytes.`}>
          <p>
            Signed by{" "}
            {recomputation.records.map(({ leafId }, i) => (
              <span key={leafId}>
                {i > 0 && ", "}
                <LeafLink id={leafId} />
              </span>
            ))}
            . Decide whether you trust them.
          </p>
        </Notice>
      ) : (
        <Notice tone="wait" title={sentence(notRecomputedWords(modelId))} />
      )}
      {terms !== null && (
        <p class="soft small">
          The terms of the rows let a model answer for pay. Its licence: {terms.licence ?? "none is given"}.
          {unknown > 0 && ` The terms of ${showCounted(unknown, "row")} are not known to machines.`}
          {byRecipe !== null && " They are those in the model's recipe."} This is a machine's reading, and no
          legal advice.
        </p>
      )}
      <AboutVectors vectors={vectors} />
      <AboutInputs found={inputs} />
      {!isRecipeRead && (
        <Notice tone="wait" title="No server of this site shows the model's recipe.">
          <p>So its own licence was not compared with the terms of the rows.</p>
        </Notice>
      )}
    </>
  );
}
