/**
 * Part of a model on its leaf's page: who recomputed it, price and split, epochs and settlements, and what each payee earned.
 * Amounts are in wei.
 */
import {
  approvalsOf,
  getModel,
  listSettlements,
  settlementsUpTo,
  whyNotPayable,
} from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { findServedLocations } from "../ask/served-models.ts";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { FigurePart } from "../hosts/figure-part.tsx";
import { DifferenceNotice, RecomputedBy } from "../hosts/recomputation-parts.tsx";
import { useRecomputations } from "../hosts/recomputations.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import { DroppedNotice } from "../hosts/unsigned-records.tsx";
import { lazyPage } from "../lazy-page.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount, showParts } from "../words/format.ts";
import { BatchLink, LeafLink, settlementHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { PaymentShares } from "../words/payment-shares.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import { Answered } from "./answered.tsx";
import { ModelWithdrawn } from "./model-withdrawn.tsx";
import { PayeeTable } from "./payee-table.tsx";

/** Details of a model's leaf: its price, its epochs, and who earns from it. */
export function ModelPart(props: PageProps & { modelId: number }) {
  const { live, modelId, site } = props;
  const answer = useAnswer(live, `model ${modelId}`, async () => {
    const model = await getModel(site.sequencer, modelId);
    const limit = settlementsUpTo(model.counters.epoch);
    return { model, settlements: await listSettlements(site.sequencer, modelId, { limit }) };
  });
  return (
    <Answered answer={answer} none="">
      {({ model, settlements }) => (
        <>
          <FigurePart
            {...props}
            isWhole
            model={{ modelId, datanetIds: approvalsOf(model).map(({ id }) => id) }}
            findServer={() => serverOf(site, modelId)}
          />
          <Recomputations {...props} model={model} />
          <ModelWithdrawn {...props} model={model} />
          <Terms model={model} />
          <LazyModelPapers {...props} model={model} />
          <Bias model={model} />
          <Epochs model={model} settlements={settlements} />
          <Payees model={model} />
        </>
      )}
    </Answered>
  );
}

/** Address of the first server of the site that has the model; null for none. */
async function serverOf(site: PageProps["site"], modelId: number): Promise<string | null> {
  const { places } = await findServedLocations(site);
  return places.find((one) => one.modelId === modelId)?.serverUrl ?? null;
}

const LazyModelPapers = lazyPage(async () => (await import("./model-papers.tsx")).ModelPapers);

function Recomputations({ live, model, site }: PageProps & { model: LedgerModelLeaf }) {
  const datanetIds = approvalsOf(model).map(({ id }) => id);
  const { problem, value } = useRecomputations({ live, site }, { modelId: model.id, datanetIds });
  return (
    <>
      <DifferenceNotice found={value?.verifications ?? []} modelId={model.id} datanetIds={datanetIds} />
      <section class="card stack">
        <h2>Recomputed by</h2>
        <p class="soft small">
          Training on the same rows gives everyone the same bytes. Accounts that retrained this model or
          recomputed a settlement have signed their result. Add yours:{" "}
          <code>openledger verify model {model.id} --host URL --sign</code>.
        </p>
        {problem !== null && <ProblemNotice problem={problem} />}
        {value !== undefined && <RecomputedBy found={value.verifications} live={live} site={site} />}
        {value !== undefined && <DroppedNotice dropped={value.dropped} />}
      </section>
    </>
  );
}

function Terms({ model }: { model: LedgerModelLeaf }) {
  const { cap, isReady, priceWei } = model.counters;
  const { drawCount, version } = model.model;
  const datanets = approvalsOf(model);
  const missing = datanets.filter(({ hasApproved }) => !hasApproved);
  const isFull = whyNotPayable(model.counters) === "epoch-full";
  const activated = missing.length > 0 ? "activated" : isFull ? "epoch full" : "takes payments";
  return (
    <section class="card stack" aria-label="Terms">
      <div class="row">
        <h2>Terms</h2>
        <Badge tone={isReady && !isFull ? "good" : "wait"}>{isReady ? activated : "not activated yet"}</Badge>
        {missing.length > 0 && (
          <Badge tone="wait">
            not approved by{" "}
            {datanets.length === 1 ? "its Datanet" : `Datanet ${missing.map(({ id }) => id).join(", ")}`}
          </Badge>
        )}
      </div>
      <dl class="facts">
        <dt>Price of an answer</dt>
        <dd>
          <Open wei={priceWei} />
        </dd>
        <dt>
          Trained on <Term name="Datanet" />
        </dt>
        <dd>
          {datanets.map(({ id }, position) => (
            <span key={id}>
              {position > 0 && " and "}
              <LeafLink id={id} />
              {position === 0 && `, version ${showCount(version)}`}
            </span>
          ))}
        </dd>
        <PaymentShares split={model.model} />
        <dt>
          <Term name="draw">Draws</Term> per epoch
        </dt>
        <dd>{showCount(drawCount)}</dd>
        <dt>Maximum payments per epoch</dt>
        <dd>{showCount(cap)}</dd>
      </dl>
    </section>
  );
}

/** The way to the reports of bias, which are of a Datanet's version and a model. */
function Bias({ model }: { model: LedgerModelLeaf }) {
  return (
    <section class="card stack-s" aria-label="Bias">
      <h2>
        <Term name="report of bias">Bias</Term>
      </h2>
      <p>
        Errors by label, contributor, length and field, and who is paid:{" "}
        {approvalsOf(model).map(({ id }, position) => (
          <span key={id}>
            {position > 0 && ", "}
            <a href={datanetHref(id, `report/model/${model.id}`)}>
              report with the rows of Datanet {showCount(id)}
            </a>
          </span>
        ))}
        .
      </p>
    </section>
  );
}

function Epochs({
  model,
  settlements,
}: {
  model: LedgerModelLeaf;
  settlements: readonly LedgerSettlement[];
}) {
  const { epoch, isReady, paymentCount } = model.counters;
  const closed = model.closedEpoch;
  const isClosedOpen = closed !== null && !settlements.some((one) => one.epoch === closed.epoch);
  const columns: Column<LedgerSettlement>[] = [
    {
      label: "Epoch",
      cell: (one) => (
        <a href={settlementHref(one.modelId, one.epoch)}>
          {one.kind === "activation" ? "opening" : showCount(one.epoch)}
        </a>
      ),
    },
    { label: "State", cell: ({ status }) => <StatusBadge status={status} /> },
    {
      label: "Rows earned",
      isNumber: true,
      cell: (one) =>
        one.earnedSumWei === undefined ? "–" : <Open wei={one.earnedSumWei} shown={rowsShown(one)} isBare />,
    },
    {
      label: "Void draws",
      isNumber: true,
      cell: ({ voidCount }) => (voidCount === undefined ? "–" : showCount(voidCount)),
    },
    { label: "Batch", isNumber: true, cell: ({ batchNumber }) => <BatchLink number={batchNumber} /> },
  ];
  return (
    <section class="card stack">
      <h2>
        <Term name="epoch">Epochs</Term>
      </h2>
      {isReady && (
        <p>
          Epoch {showCount(epoch)} is open: {showCount(paymentCount)}{" "}
          {paymentCount === 1 ? "payment" : "payments"}, <Open wei={model.openAmountWei} />.
        </p>
      )}
      {isClosedOpen && (
        <p>
          Epoch {showCount(closed.epoch)} is closed with <Open wei={closed.amountWei} />, in batch{" "}
          <BatchLink number={closed.closingBatch} />.{" "}
          {closed.seed === null
            ? "Ethereum's randomness is not available yet."
            : "Its draws are fixed. The settlement follows."}
        </p>
      )}
      <DataTable
        caption="Settlements"
        columns={columns}
        rows={settlements}
        keyOf={(one) => one.epoch}
        empty="Nothing has been settled yet."
      />
    </section>
  );
}

/** Rows' part of an epoch as its own page shows it, where all parts add up. */
const rowsShown = ({ burnedWei, earnedSumWei, ownerWei, treasuryWei }: LedgerSettlement) =>
  showParts([earnedSumWei, ownerWei, treasuryWei, burnedWei].map((wei) => wei ?? 0n)).parts[0];

function Payees({ model: { payees } }: { model: LedgerModelLeaf }) {
  const amountsWei = payees.map(({ accruedWei }) => accruedWei);
  return (
    <section class="card stack">
      <h2>Who earns from it</h2>
      <PayeeTable payees={payees} earned={{ label: "Earned, OPEN", amountsWei }} />
    </section>
  );
}
