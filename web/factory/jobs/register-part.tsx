/**
 * Part "Register" of a job's page: the builder names a price in OPEN; the page signs the model's creation and activation, the
 * factory proves. A registered model can then be served here.
 */
import { splitOfPercents } from "@openledger/circuits/settlement/settlement-split";
import { findDisplayNames } from "@openledger/client/datanets/display-names";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import type { RegisterProgress } from "@openledger/client/tasks/register-model";
import {
  displayNameProblem,
  MAX_NAME_BYTES,
  nearestDisplayName,
} from "@openledger/datanets/records/display-name";
import { registerJob } from "@openledger/models/factory/register-job";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { type Check, Checks } from "../../design/checks.tsx";
import { Field } from "../../design/field.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { Notice } from "../../design/notice.tsx";
import { approvalTime } from "../../hosts/approval-time.ts";
import { chooseName } from "../../hosts/name-leaves.ts";
import { PassTime } from "../../hosts/pass-time.tsx";
import { datanetHref } from "../../hosts/tab-props.ts";
import { useAction } from "../../ledger/use-action.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { showCount, showDuration } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { Open } from "../../words/open.tsx";
import { PaymentShares } from "../../words/payment-shares.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { jobHref } from "../factory-links.ts";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";
import { ServePart } from "./serve-part.tsx";

/** Interval between two requests for the registration. */
const LOOK_MS = 1_500;
/** Proposed price of an answer, in OPEN. */
const PRICE = "0.5";
/** First balance of the model's leaf, from which it pays fees such as those of closed epochs. */
const FIRST_BALANCE_WEI = parseOpen("1");

type RegisterStep = RegisterProgress["step"] | "done";
const ORDER: readonly RegisterStep[] = ["checking", "creating", "proving", "sending", "done"];
const TITLES: Readonly<Record<RegisterStep, string>> = {
  checking: "Check its terms, price and circuits",
  creating: "Create the model on the ledger",
  proving: "Prove its activation: the contributors and their balances of zero",
  sending: "Sign the activation",
  done: "Registered on the ledger",
};

/** Registers a trained job's model, so that it is paid: one click. */
export function RegisterPart(props: JobPartProps) {
  const { factorySession, job, live, site } = props;
  const query = useFactory(job.id, () => factorySession.factory.registration(job.id), LOOK_MS);
  const modelId = query.value?.modelId ?? job.modelId;
  const model = useAnswer(live, `model ${modelId}`, async () =>
    modelId === null ? null : getModel(site.sequencer, modelId),
  );
  const { isRegistrable, whyNot } = query.value ?? job;
  const leaf = model.value ?? null;
  if (!isRegistrable && leaf?.counters.isReady !== true) {
    return (
      <Notice tone="wait" title="This model cannot be registered.">
        <p>{whyNot} It can still be exported and used.</p>
      </Notice>
    );
  }
  if (query.value === undefined)
    return query.problem === null ? <p class="soft">Loading …</p> : <ProblemNotice problem={query.problem} />;
  return leaf?.counters.isReady ? (
    <>
      <Registered {...props} leaf={leaf} />
      <ServePart {...props} leaf={leaf} />
    </>
  ) : (
    <Register {...props} payeeCount={query.value.payeeCount} known={leaf} />
  );
}

interface RegisterProps extends JobPartProps {
  readonly payeeCount: number;
  /** A model that was created in an earlier attempt, at its own price. */
  readonly known: LedgerModelLeaf | null;
}

function Register({ factorySession, payeeCount, job, known, live, site }: RegisterProps) {
  const [price, setPrice] = useState(PRICE);
  const [name, setName] = useState(nearestDisplayName(job.form.name));
  const [step, setStep] = useState<RegisterStep | null>(null);
  const registering = useAction();
  const priceWei = known?.counters.priceWei ?? readPrice(price);
  const isNamed = site.datanetHosts.length > 0 && name.trim() !== "";
  const nameProblem = isNamed ? displayNameProblem(name.trim()) : null;
  const register = () =>
    registering.run(async () => {
      const { client, factory, leafId } = factorySession;
      const { l1Owner } = await getLeaf(client, leafId);
      const modelId = await registerJob(client, factory, {
        jobId: job.id,
        from: leafId,
        l1Owner,
        datanetHosts: site.datanetHosts,
        priceWei: priceWei!,
        amountWei: FIRST_BALANCE_WEI,
        onProgress: ({ step }) => setStep(step),
      });
      setStep("done");
      live.ring();
      // The model's key is the client's.
      if (isNamed) await chooseName(site, client, modelId, name.trim());
    });
  const checks = ORDER.map((name, i): Check => {
    const at = step === null ? -1 : ORDER.indexOf(step);
    const isFailed = registering.problem !== null && name === step;
    const state = isFailed ? "failed" : i < at || step === "done" ? "done" : i === at ? "current" : "ahead";
    return { name, title: TITLES[name], state };
  });
  return (
    <section class="card stack" aria-label="Register">
      <h2>Register the model</h2>
      <p>
        The <Term name="ledger" /> stores commitments to the model, its rows and their owners. Once the
        Datanet's owner approves the model, its answers can be paid, and a proof divides each payment.
      </p>
      {known !== null && (
        <Notice tone="info" title={`Model ${known.id} already exists.`}>
          <p>Registration continues from there; nothing is paid twice.</p>
        </Notice>
      )}
      <div class="settings-grid">
        {site.datanetHosts.length > 0 && (
          <NameField text={name} onInput={setName} problem={nameProblem} isDisabled={registering.isBusy} />
        )}
        <Field
          label="Price of an answer"
          value={known === null ? price : formatOpen(known.counters.priceWei)}
          onInput={setPrice}
          inputMode="decimal"
          after={<span class="soft small">OPEN</span>}
          problem={priceWei === null ? "Enter an amount such as 0.5." : null}
          isDisabled={registering.isBusy || known !== null}
        />
        <dl class="facts">
          <PaymentShares split={splitOfPercents(job.form)} />
          <dt>Contributors who are paid, each with a validator of theirs</dt>
          <dd>{showCount(payeeCount)}</dd>
          <dt>Initial balance of the model</dt>
          <dd>
            <Open wei={FIRST_BALANCE_WEI} />
          </dd>
        </dl>
      </div>
      {step !== null && <Checks label="Registration" checks={checks} />}
      {registering.problem !== null && <ProblemNotice problem={registering.problem} />}
      <Button
        isMain
        isBusy={registering.isBusy}
        isDisabled={priceWei === null || nameProblem !== null}
        onClick={() => void register()}
      >
        {registering.isBusy ? "Registering …" : "Register with your wallet"}
      </Button>
      <p class="soft small">
        The ledger key from your wallet signs in this page. The factory only proves; it cannot sign.
      </p>
    </section>
  );
}

function readPrice(text: string): bigint | null {
  try {
    const wei = parseOpen(text.trim());
    return wei > 0n ? wei : null;
  } catch {
    return null;
  }
}

function Registered(props: JobPartProps & { leaf: LedgerModelLeaf }) {
  const { job, leaf, live, site } = props;
  const { isApproved, priceWei } = leaf.counters;
  const { datanetId } = leaf.model;
  const datanet = useAnswer(live, `Datanet ${datanetId}`, () => getLeaf(site.sequencer, datanetId));
  const { at, leftMs } = approvalTime(live, datanet.value?.datanet?.publishedAt ?? 0);
  return (
    <section class="card stack" aria-label="Registered">
      <h2>
        Registered as model <LeafLink id={leaf.id} />
      </h2>
      <dl class="facts">
        <dt>Price of an answer</dt>
        <dd>
          <Open wei={priceWei} />
        </dd>
        <dt>
          Trained on <Term name="Datanet" />
        </dt>
        <dd>
          <LeafLink id={leaf.model.datanetId} />, version {leaf.model.version}
        </dd>
        <dt>Hash that fixes which rows are paid for what</dt>
        <dd>
          <Identifier value={toHex(leaf.model.featuresCommitment)} label="the commitment" />
        </dd>
      </dl>
      <NameLater {...props} />
      {isApproved ? (
        <Notice tone="good" title="The Datanet's owner has approved this model.">
          <p>
            It takes payments. <a href={jobHref(job.id, "chat")}>Chat with it</a>
          </p>
        </Notice>
      ) : (
        <Notice tone="wait" title="Waiting for approval by the Datanet's owner">
          <p>
            The owner approves each model before it can earn
            {leftMs > 0 && `, from ${at} on (in ${showDuration(leftMs)})`}. If you own the Datanet,{" "}
            <a href={datanetHref(datanetId, "models")}>approve it</a>. Until then,{" "}
            <a href={jobHref(job.id, "chat")}>chat with it for free</a>.
          </p>
          <PassTime leftMs={leftMs} live={live} site={site} />
        </Notice>
      )}
    </section>
  );
}

/** Form for the name of a model that has none, as where the page was closed between the ledger and the hosts. */
function NameLater({
  factorySession: { client },
  job,
  leaf,
  live,
  site,
}: JobPartProps & { leaf: LedgerModelLeaf }) {
  const [text, setText] = useState(nearestDisplayName(job.form.name));
  const naming = useAction();
  const found = useAnswer(live, `name of ${leaf.id}`, async () => {
    const [hostUrl] = site.datanetHosts;
    return hostUrl === undefined ? [] : findDisplayNames(client, { hostUrl, leafIds: [leaf.id] });
  });
  const name = text.trim();
  const problem = name === "" ? null : displayNameProblem(name);
  const isOwn = client.l2Key?.keyX === leaf.keyX;
  if (site.datanetHosts.length === 0 || !isOwn || found.value === undefined || found.value.length > 0)
    return null;
  return (
    <div class="stack-s">
      <NameField text={text} onInput={setText} problem={problem} isDisabled={naming.isBusy} />
      <div class="row">
        <Button
          isSmall
          isBusy={naming.isBusy}
          isDisabled={name === "" || problem !== null}
          onClick={() =>
            void naming.run(async () => {
              await chooseName(site, client, leaf.id, name);
              live.ring();
            })
          }
        >
          Sign the name
        </Button>
        <span class="soft small">The model has no name yet.</span>
      </div>
      {naming.problem !== null && <ProblemNotice problem={naming.problem} />}
    </div>
  );
}

interface NameFieldProps {
  readonly text: string;
  readonly onInput: (text: string) => void;
  readonly problem: string | null;
  readonly isDisabled: boolean;
}

function NameField({ isDisabled, onInput, problem, text }: NameFieldProps) {
  return (
    <Field
      label="Name"
      value={text}
      onInput={onInput}
      help={`At most ${MAX_NAME_BYTES} bytes. It is shown with the model's number.`}
      problem={problem === null ? null : `This name is not allowed: ${problem}.`}
      isDisabled={isDisabled}
    />
  );
}

const toHex = (value: bigint) => `0x${value.toString(16).padStart(64, "0")}`;
