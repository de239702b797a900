/**
 * Page "#/ask": a person chooses a model, asks, and pays for an answer that the page has checked. Questions stay in this tab,
 * receipts in files that the person saves. `ModelQuestion` is shown on the pages of adapters and of the factory's jobs, too.
 */

import { isLeftUnpaid } from "@openledger/client/actions/answers/ask-model";
import {
  isUnanswered,
  type NearestQuestion,
  nearestQuestionsOf,
} from "@openledger/client/actions/answers/nearest-questions";
import type { NotPayable } from "@openledger/client/sequencer/model-reads";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Address } from "viem";
import { Chat, type PendingTurn } from "../chat/chat.tsx";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import { FigurePart } from "../hosts/figure-part.tsx";
import { DifferenceNotice, RecomputedBy } from "../hosts/recomputation-parts.tsx";
import { useRecomputations } from "../hosts/recomputations.ts";
import { useLoad } from "../hosts/use-load.ts";
import { useWithdrawn } from "../hosts/withdrawn-rows.ts";
import { holdings, mainAccount } from "../ledger/holdings.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { useFieldChoices } from "../rows/field-choices.ts";
import { showCount, showCounted, showOpen } from "../words/format.ts";
import { AboutInputs } from "../words/inputs-words.tsx";
import { hostedDatanet, leafNames, noteShownLeaf } from "../words/leaf-names.ts";
import { LeafLink } from "../words/links.tsx";
import { type Problem, ProblemNotice } from "../words/problem.tsx";
import { AboutVectors } from "../words/vectors-words.tsx";
import { AssuranceList, useAssurance, useCopy } from "./assurance-part.tsx";
import { findRegistered } from "./listed-adapters.ts";
import { askOnce, buyAndCheck, isWithdrawn } from "./pay-answer.ts";
import { AskedPicture, PictureInput } from "./picture-input.tsx";
import { readQuestion, storeQuestion } from "./question-draft.ts";
import { findServedModels, type OwnCopy, type RowsReader, type ServedModel } from "./served-models.ts";
import { AskedRow, TableInput } from "./table-input.tsx";
import { TurnCard } from "./turn-card.tsx";
import { addTurn, loadTurns, storedReceipts, type TurnsLocation, turnsOf } from "./turns.ts";

/** A conversation with a model: each answer is checked in the page, and paid. */
export function AskPage(props: PageProps) {
  const { site, live, rest } = props;
  const named = rest[0] === undefined ? null : Number(rest[0]);
  const { value, problem } = useAnswer(live, `served models ${named}`, () => findAskable(site, named));
  const found = value?.models.find(({ modelId }) => named === null || modelId === named);
  // A server that is silent for a moment takes no half-typed question with it.
  const last = useRef(found);
  if (found !== undefined) last.current = found;
  const model = last.current;
  return (
    <>
      <section class="stack">
        <h1>Ask a model</h1>
        <p class="lead">
          Your browser checks each answer before you pay. Your payment goes to the people whose rows helped.
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value !== undefined && value.problems.length > 0 && <Silent problems={value.problems} />}
      {value === undefined ? (
        problem === null && <p class="soft">Loading models …</p>
      ) : model === undefined ? (
        <NoModel isAny={site.answerServers.length > 0} isNamed={named !== null} />
      ) : (
        <>
          <Picker site={site} models={found === undefined ? [model] : value.models} chosen={model} />
          <FigurePart
            key={`figure ${model.modelId}`}
            {...props}
            model={model}
            findServer={async () => model.serverUrl}
          />
          <Recomputed {...props} model={model} />
          <ModelQuestion key={`${model.serverUrl} ${model.modelId}`} {...props} model={model} />
        </>
      )}
    </>
  );
}

/** Rows that the model learned from and whose contributors have withdrawn them since, as a host of the Datanet says. */
const NOT_PAYABLE: Readonly<Record<NotPayable, string>> = {
  "not-approved": "Its Datanet's owner has not approved it, or has revoked it.",
  "not-activated": "Its activation is not settled yet.",
  "epoch-full":
    "Its open epoch has as many payments as it takes. It takes more once the model's owner has closed the epoch.",
};

function Withdrawn({ live, model, site }: Pick<PageProps, "live" | "site"> & { model: ServedModel }) {
  const { datanetIds, modelId, version } = model;
  const { value } = useWithdrawn({ live, site }, { datanetId: datanetIds[0]!, versions: [version] });
  const count = value?.byVersion.get(version)?.length ?? 0;
  if (count === 0) return null;
  return (
    <Notice
      tone="wait"
      title={`${showCounted(count, "row")} that this model learned from ${count === 1 ? "was" : "were"} withdrawn since.`}
    >
      <p>
        Its server neither shows nor says {count === 1 ? "it" : "them"} any more. What else the model learned
        stays as it was: <LeafLink id={modelId} />.
      </p>
    </Notice>
  );
}

/** Recomputations of the model: a notice if somebody found other bytes, and a list of who recomputed it. */
function Recomputed({ live, model, site }: PageProps & { model: ServedModel }) {
  const { datanetIds, modelId } = model;
  const found = useRecomputations({ live, site }, { modelId, datanetIds }).value?.verifications;
  if (found === undefined || site.datanetHosts.length === 0) return null;
  return (
    <>
      <DifferenceNotice found={found} modelId={modelId} datanetIds={datanetIds} />
      <details>
        <summary class="row small">
          {found.length === 0 ? "Nobody has signed a recomputation of it" : "Who has recomputed it"}
        </summary>
        <div class="folded">
          <RecomputedBy found={found} live={live} site={site} />
        </div>
      </details>
    </>
  );
}

/** Models that the site's servers list. Adds the named model if only the OpenAI routes of a server list it. */
async function findAskable(site: Site, named: number | null) {
  const found = await findServedModels(site, named);
  if (named === null || found.models.some(({ modelId }) => modelId === named)) return found;
  const streamed = await findRegistered(site, named);
  return streamed === null ? found : { ...found, models: [...found.models, streamed] };
}

/** Servers that do not answer, or not as they should: one notice for all that fail alike. */
function Silent({ problems }: { problems: readonly Problem[] }) {
  const [silent, others] = [true, false].map((isSilent) =>
    problems.filter(({ code }) => (code === "CLI_UNREACHABLE") === isSilent),
  ) as [Problem[], Problem[]];
  return (
    <>
      {silent.length > 0 && (
        <Notice
          tone="wait"
          title={
            silent.length === 1
              ? "A model server does not respond."
              : `${showCount(silent.length)} model servers do not respond.`
          }
        >
          <p>Their models are unavailable. This page keeps trying.</p>
          <details class="small soft">
            <summary>Technical details</summary>
            <ul class="problem-details">
              {silent.map(({ details, message }) => (
                <li key={details ?? message}>{details ?? message}</li>
              ))}
            </ul>
          </details>
        </Notice>
      )}
      {others.map((one) => (
        <ProblemNotice key={one.details ?? one.message} problem={one} />
      ))}
    </>
  );
}

function NoModel({ isAny, isNamed }: { isAny: boolean; isNamed: boolean }) {
  return (
    <section class="card stack narrow">
      <h2>{!isAny ? "No models yet" : isNamed ? "No server runs this model" : "No model is available"}</h2>
      <p class="soft">
        {!isAny
          ? "This site has no model server. The factory can serve models that you register there."
          : isNamed
            ? "Its server does not respond, or the model is not served yet. Try again in a moment or choose another model."
            : "Models appear here as soon as a server has one."}
      </p>
      {isAny && isNamed && <a href="#/ask">All models</a>}
    </section>
  );
}

function Picker({
  chosen,
  models,
  site,
}: Pick<PageProps, "site"> & { models: readonly ServedModel[]; chosen: ServedModel }) {
  const about = models.map(({ modelId }) => modelId).join(" ");
  useEffect(() => {
    for (const { modelId } of models) noteShownLeaf(modelId);
  }, [about]);
  return (
    <section class="row" aria-label="The model">
      <div class="picker">
        <Choice
          label="Model"
          value={`${chosen.modelId}`}
          onChoose={(id) => {
            window.location.hash = `#/ask/${id}`;
          }}
          options={models.map(({ modelId }) => ({
            name: `${modelId}`,
            label: nameOf(models, modelId),
          }))}
        />
      </div>
      <span class="push soft">
        Model <LeafLink id={chosen.modelId} />, trained on{" "}
        {chosen.datanetIds.map((id, i) => (
          <span key={id}>
            {i > 0 && " and "}
            <DatanetLink id={id} />
          </span>
        ))}
        {chosen.streamsFrom !== undefined && site.answerServers.length > 0 && (
          <>
            {" "}
            · <a href="#/adapters">all adapters</a>
          </>
        )}
      </span>
    </section>
  );
}

function DatanetLink({ id }: { id: number }) {
  const datanet = hostedDatanet(id);
  if (datanet !== null) return <a href={datanet.href}>{datanet.name}</a>;
  return (
    <>
      Datanet <LeafLink id={id} />
    </>
  );
}

/** A model that has chosen no name is called as the first Datanet that it learned from. */
const nameOf = (models: readonly ServedModel[], modelId: number) => {
  const known = leafNames.value.get(modelId);
  const [first] = models.find((one) => one.modelId === modelId)!.datanetIds;
  const name = known?.isChosen === true ? known.name : hostedDatanet(first!)?.name;
  return name === undefined ? `Model ${modelId}` : `${name} (model ${modelId})`;
};

/** Place of a model's turns; null as long as the ledger is not known. */
function deploymentIn(live: PageProps["live"], modelId: number): TurnsLocation | null {
  const info = live.info.value;
  return info === null
    ? null
    : { chainId: info.chainId, rollupAddress: info.rollupAddress as Address, modelId };
}

/** The thread with one model, and the next question. */
export function ModelQuestion({ site, live, model }: PageProps & { model: ServedModel }) {
  const [prompt, setPrompt] = useState(() => readQuestion(model));
  const [question, setQuestion] = useState<PendingTurn | null>(null);
  /** The server shows nothing more before it is paid: an earlier answer was left unpaid. */
  const [isPaidFirst, setPaidFirst] = useState(false);
  /** Question that no row of the model answers, with those that rows answer. */
  const [unanswered, setUnanswered] = useState<Unanswered | null>(null);
  /** Question of a row whose answer is paid before it is read. */
  const [offer, setOffer] = useState<Offer | null>(null);
  /** Question whose answer has a withdrawn row. */
  const [withdrawn, setWithdrawn] = useState<string | null>(null);
  const asking = useAction();
  const assurance = useAssurance(model);
  const copy = useCopy(model);
  const choices = useFieldChoices({ live, site }, copy?.inputFields == null ? null : model.datanetIds[0]!);
  const now = session.value;
  const owned = now !== null && holdings.value?.address === now.address ? holdings.value : null;
  const account = mainAccount(owned);
  const location = deploymentIn(live, model.modelId);
  useEffect(() => {
    if (location !== null) loadTurns(location);
  }, [location?.chainId, location?.rollupAddress, model.modelId]);
  const write = (text: string) => {
    storeQuestion(model, text);
    setPrompt(text);
  };
  const ask = () =>
    asking.run(async () => {
      setQuestion({ question: prompt, soFar: "", note: "not checked yet" });
      setUnanswered(null);
      setWithdrawn(null);
      try {
        const onText = (soFar: string) => setQuestion((now) => now && { ...now, soFar });
        const turn = isPaidFirst
          ? await buyAndCheck(now!, owned!, model, prompt, (question) => offered(question, setOffer))
          : await askOnce(now!, owned!, model, prompt, onText);
        const { chain, rollupAddress } = now!.client;
        addTurn({ chainId: chain.id, rollupAddress, modelId: model.modelId }, turn);
        setPaidFirst(false);
        write("");
      } catch (error) {
        if (error === DECLINED) return;
        if (isUnanswered(error)) setUnanswered({ prompt, nearest: nearestQuestionsOf(error) });
        else if (isWithdrawn(error)) setWithdrawn(prompt);
        else if (isLeftUnpaid(error)) setPaidFirst(true);
        else throw error;
      } finally {
        setQuestion(null);
      }
    });
  const turns = (location === null ? [] : turnsOf(location)).map((turn) => ({
    key: `${turn.answer.receipt}`,
    question: turn.prompt,
    answer: (
      <TurnCard
        assurance={assurance}
        live={live}
        model={model}
        turn={turn}
        payer={now === null || owned === null ? null : { now, owned }}
      />
    ),
  }));
  return (
    <Chat
      turns={turns}
      afterTurns={location === null ? null : <KeepReceipts ledger={location} />}
      pending={question}
      question={prompt}
      onQuestion={write}
      label="Your text"
      lineCount={4}
      placeholder={
        copy === null || copy.classes === null
          ? "Ask a question, or start a text for the model to continue."
          : `Paste a text. The model answers ${copy.classes.join(" or ")}.`
      }
      {...(copy?.inputKind === "image" && {
        questionInput: <PictureInput value={prompt} onInput={write} isDisabled={asking.isBusy} />,
        Question: AskedPicture,
      })}
      {...(copy?.inputFields != null && {
        questionInput: (
          <TableInput
            fields={copy.inputFields}
            choices={choices}
            value={prompt}
            onInput={write}
            isDisabled={asking.isBusy}
          />
        ),
        Question: AskedRow,
      })}
      help="Each question is answered on its own. Only you and the model's server see it; the ledger stores a hash."
      asking={asking}
      onAsk={() => void ask()}
      isAskable={model.notPayable === null}
      buttonLabel={
        asking.isBusy
          ? "Asking and checking …"
          : isPaidFirst
            ? `Pay ${showOpen(model.priceWei)} OPEN and read`
            : "Ask"
      }
      price={
        isPaidFirst
          ? "You pay before you read the answer. Your browser still checks it."
          : `An answer costs ${showOpen(model.priceWei)} OPEN. You read it before you pay.`
      }
      instead={
        now === null ? (
          <section class="stack-s" aria-label="Connect a wallet">
            <p>
              Connect a wallet to ask: an answer costs {showOpen(model.priceWei)} OPEN, paid from your account
              in the ledger. You read it before you pay.
            </p>
            <WalletChoice site={site} live={live} />
          </section>
        ) : account === null ? (
          <p class="soft">
            {owned === null ? (
              "Loading your account …"
            ) : (
              <>
                You have no account in the ledger yet. <a href="#/bridge/deposit">A deposit opens one.</a>
              </>
            )}
          </p>
        ) : undefined
      }
      notices={
        <>
          <Withdrawn live={live} site={site} model={model} />
          {model.notPayable !== null && (
            <Notice tone="wait" title="The ledger takes no payments for this model.">
              <p>{NOT_PAYABLE[model.notPayable]}</p>
            </Notice>
          )}
          {offer !== null && <OfferNotice offer={offer} priceWei={model.priceWei} />}
          {unanswered !== null && <UnansweredNotice unanswered={unanswered} onChoose={write} />}
          {withdrawn !== null && (
            <Notice tone="wait" title={`The answer to “${withdrawn}” has a row that was withdrawn.`}>
              <p>
                Its contributor took the row back, so this server says it no more. There is no answer and
                nothing to pay. A model of a newer version does not have the row.
              </p>
            </Notice>
          )}
          {isPaidFirst && (
            <Notice tone="wait" title="You left an answer of this model unpaid.">
              <p>Until you pay for one, its server shows answers only after payment.</p>
            </Notice>
          )}
        </>
      }
    >
      <details>
        <summary class="row small">How reliable its answers are</summary>
        <div class="folded stack-s">
          {assurance !== null && <AssuranceList assurance={assurance} />}
          {copy !== null && <p class="small soft">This model has {copy.defences}.</p>}
        </div>
      </details>
      {copy !== null && <AboutVectors vectors={copy.vectors} />}
      {copy !== null && <ComparedInputs copy={copy} model={model} reader={readerOf(now, account?.id)} />}
    </Chat>
  );
}

interface ComparedInputsProps {
  readonly copy: OwnCopy;
  readonly model: ServedModel;
  readonly reader: RowsReader | null;
}

const readerOf = (now: typeof session.value, leafId: number | undefined): RowsReader | null =>
  now === null || now.client.l2Key === null || leafId === undefined ? null : { client: now.client, leafId };

/** Whether what counts of each row follows from the rows; nothing while it is compared. */
function ComparedInputs({ copy, model: { serverUrl }, reader }: ComparedInputsProps) {
  const about = `inputs ${serverUrl} ${reader?.leafId}`;
  const { problem, value = null } = useLoad(about, () => copy.compareInputs(reader));
  return problem === null ? <AboutInputs found={value} /> : <ProblemNotice problem={problem} />;
}

interface Unanswered {
  readonly prompt: string;
  readonly nearest: readonly NearestQuestion[];
}

/** Says that no row answers, and shows the nearest questions, which cost nothing. */
function UnansweredNotice({
  onChoose,
  unanswered: { nearest, prompt },
}: {
  unanswered: Unanswered;
  onChoose: (question: string) => void;
}) {
  return (
    <Notice tone="wait" title={`No row of this model's data answers “${prompt}”.`}>
      <p>The model answers from its rows alone, so there is no answer and nothing to pay.</p>
      {nearest.length === 0 ? (
        <p>Try other words.</p>
      ) : (
        <>
          <p>Its rows answer these. Choose one to write it into the field, or try other words.</p>
          <ul class="nearest stack-s" aria-label="Nearest questions">
            {nearest.map(({ question, row }) => (
              <li key={row}>
                <Button isSmall onClick={() => onChoose(question)}>
                  {question}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  );
}

interface Offer {
  readonly question: string;
  choose(isPaid: boolean): void;
}

/** Thrown where a person leaves an offered answer unpaid. */
const DECLINED = new Error("the answer was left unpaid");

/** Waits for a person's word on a row's question; a model that writes has none to show. @throws DECLINED */
async function offered(question: string | null, show: (offer: Offer | null) => void): Promise<void> {
  if (question === null) return;
  const isPaid = await new Promise<boolean>((choose) => show({ question, choose }));
  show(null);
  if (!isPaid) throw DECLINED;
}

function OfferNotice({ offer: { choose, question }, priceWei }: { offer: Offer; priceWei: bigint }) {
  return (
    <Notice tone="wait" title="A row of this model answers another wording.">
      <p>
        Its question: <q>{question}</q>
      </p>
      <div class="row">
        <Button isMain onClick={() => choose(true)}>{`Pay ${showOpen(priceWei)} OPEN and read`}</Button>
        <Button onClick={() => choose(false)}>Leave it</Button>
      </div>
    </Notice>
  );
}

function KeepReceipts({ ledger }: { ledger: TurnsLocation }) {
  const keep = () => {
    const text = `${JSON.stringify({ receipts: storedReceipts(ledger) }, null, 2)}\n`;
    saveFile("receipts.json", new TextEncoder().encode(text));
  };
  return (
    <div class="row">
      <Button isSmall onClick={keep}>
        Download your receipts
      </Button>
      <span class="soft small">
        This tab forgets questions, answers and receipts when you close it. The file also contains your
        ratings.
      </span>
    </div>
  );
}
