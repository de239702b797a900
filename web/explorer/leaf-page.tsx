/**
 * Page "#/leaf/ID" of the explorer: an account's, Datanet's or model's balance, keys, parts and last operations, as the server
 * has them. Its owner chooses its name here.
 */

import { amountOf, queuedAmountOf } from "@openledger/circuits/ledger/moved-amounts";
import { getLeaf, nameOfOperation, readOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LeafOperation, LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { useEffect } from "preact/hooks";
import { type Column, DataTable } from "../design/data-table.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Identicon } from "../design/identicon.tsx";
import { Identifier } from "../design/identifier.tsx";
import { DelegateWord } from "../hosts/delegate-word.tsx";
import { lazyPage } from "../lazy-page.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { KeyNoticePart } from "../wallet/key-notice-part.tsx";
import { showAge, showCount } from "../words/format.ts";
import { hostedDatanet, leafNames, noteShownLeaf } from "../words/leaf-names.ts";
import { BatchLink, OperationLink, QueueLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Answered } from "./answered.tsx";
import { EnsName } from "./ens-name.tsx";
import { KIND_NAMES } from "./leaf-kinds.ts";
import { leafOf, showKind } from "./records.tsx";

/** Page of an account, a Datanet or a model: its balance, its parts, and its operations. */
export function LeafPage(props: PageProps) {
  const { site, live, rest } = props;
  const id = Number(rest[0]);
  const answer = useAnswer<LedgerLeaf | null>(live, `leaf ${id}`, async () => {
    if (!Number.isSafeInteger(id) || id < 0) return null;
    try {
      return await getLeaf(site.sequencer, id);
    } catch (error) {
      if (isRollupError(error, "CLI_LEAF_NOT_FOUND")) return null;
      throw error;
    }
  });
  return (
    <>
      <LeafHeading id={id} kind={answer.value == null ? "Account" : KIND_NAMES[answer.value.kind]} />
      <Answered answer={answer} none="No account, Datanet or model has this number.">
        {(leaf) => (
          <>
            {site.datanetHosts.length > 0 && <KeyNoticePart {...props} leafId={leaf.id} />}
            <Facts leaf={leaf} site={site} live={live} />
            {leaf.datanet != null && <DatanetPart id={leaf.id} datanet={leaf.datanet} />}
            {leaf.kind === "model" && <LazyModelPart {...props} modelId={leaf.id} />}
            <Operations {...props} id={leaf.id} />
            {isOwn(leaf) && site.datanetHosts.length > 0 && <LazyNameForm {...props} leaf={leaf} />}
          </>
        )}
      </Answered>
    </>
  );
}

function LeafHeading({ id, kind }: { id: number; kind: string }) {
  useEffect(() => noteShownLeaf(id), [id]);
  const name = leafNames.value.get(id)?.name;
  const number = `${kind} ${Number.isNaN(id) ? "?" : id}`;
  return (
    <h1>
      <Identicon of={`leaf ${id}`} /> {name ?? number}
      {name !== undefined && <span class="leaf-number"> {number}</span>}
    </h1>
  );
}

/** A Datanet is called as its card says; its owner changes that there. */
const isOwn = ({ kind, l1Owner }: LedgerLeaf) =>
  kind !== "datanet" && session.value !== null && session.value.address === l1Owner;

const LazyModelPart = lazyPage(async () => (await import("./model-part.tsx")).ModelPart);
const LazyNameForm = lazyPage(async () => (await import("../hosts/name-form.tsx")).NameForm);

function Facts({ leaf, live, site }: Pick<PageProps, "live" | "site"> & { leaf: LedgerLeaf }) {
  const { balanceWei, id, keyX, kind, l1Owner, nonce, postedBalanceWei } = leaf;
  return (
    <section class="card stack">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Balance</dt>
        <dd>
          <Open wei={balanceWei} />
        </dd>
        <dt>Balance on Ethereum</dt>
        <dd>{postedBalanceWei == null ? "not there yet" : <Open wei={postedBalanceWei} />}</dd>
        <dt>Owner on Ethereum</dt>
        <dd class="row">
          <span class="push" />
          <EnsName address={l1Owner} site={site} live={live} />
          <a href={`#/address/${l1Owner}`}>everything it owns</a>
          <Identifier value={l1Owner} label="the owner" />
        </dd>
        <dt>Ledger key</dt>
        <dd>
          {keyX === 0n ? (
            "none"
          ) : (
            <Identifier value={`0x${keyX.toString(16).padStart(64, "0")}`} label="the key" />
          )}
        </dd>
        <dt>Operations signed</dt>
        <dd>{showCount(nonce)}</dd>
      </dl>
      <DelegateWord leafId={id} live={live} site={site} />
      <p class="soft small">
        Not checked here. The Bridge page checks an owner's balance against Ethereum.
        {kind === "account" && (
          <>
            {" "}
            <a href={`#/earnings/${id}`}>Earnings of this account</a>
          </>
        )}
      </p>
    </section>
  );
}

function DatanetPart({ datanet, id }: { id: number; datanet: NonNullable<LedgerLeaf["datanet"]> }) {
  const hosted = hostedDatanet(id);
  const { publishedAt, rowCount, rowsRoot, version } = datanet;
  const root = `0x${rowsRoot.toString(16).padStart(64, "0")}`;
  return (
    <section class="card stack">
      <h2>Published version</h2>
      {version === 0 ? (
        <p class="soft">No version has been published yet.</p>
      ) : (
        <FactList
          facts={[
            ["Number", showCount(version)],
            ["Rows", showCount(rowCount)],
            ["Published", new Date(publishedAt * 1000).toLocaleString("en-GB")],
            ["Root of the rows", <Identifier value={root} label="the root of the rows" />],
          ]}
        />
      )}
      {hosted !== null && (
        <p>
          <a href={hosted.href}>Card, rows and how to take part</a>
        </p>
      )}
    </section>
  );
}

/** Operations of the table, the last ones. */
const PAGE_SIZE = 25;

function Operations({ site, live, id }: PageProps & { id: number }) {
  const answer = useAnswer(live, `operations ${id}`, () =>
    readOperations(site.sequencer, id, { limit: PAGE_SIZE }),
  );
  return (
    <section class="card stack">
      <h2>Last operations</h2>
      <Answered answer={answer} none="">
        {({ isComplete, nextBefore, operations, prunedBeforeMs }) => (
          <>
            <DataTable
              caption="Operations"
              columns={columns(live.nowMs.value)}
              rows={[...operations]}
              keyOf={nameOfOperation}
              empty="None yet."
            />
            {!isComplete && nextBefore === null && (
              <p class="soft small">
                Older ones are no longer at this sequencer
                {prunedBeforeMs !== null &&
                  `: it has pruned what was executed before ${new Date(prunedBeforeMs).toLocaleString("en-GB")}`}
                . A full node has them, and Ethereum.
              </p>
            )}
          </>
        )}
      </Answered>
    </section>
  );
}

function columns(nowMs: number): Column<LeafOperation>[] {
  return [
    {
      label: "Operation",
      cell: (operation) => {
        const label = showKind(operation.kind);
        if (operation.hash === null) return <QueueLink index={operation.queueIndex} label={label} />;
        return <OperationLink hash={operation.hash} label={label} />;
      },
    },
    { label: "State", cell: ({ status }) => <StatusBadge status={status} /> },
    { label: "From", cell: (operation) => leafOf(operation, "a") },
    { label: "To", cell: (operation) => leafOf(operation, "b") },
    {
      label: "OPEN",
      isNumber: true,
      cell: (operation) => {
        const wei = operation.hash === null ? queuedAmountOf(operation) : amountOf(operation);
        return wei === null ? "–" : <Open wei={wei} isBare />;
      },
    },
    {
      label: "Batch",
      isNumber: true,
      cell: ({ batchNumber }) => (batchNumber == null ? "–" : <BatchLink number={batchNumber} />),
    },
    {
      label: "Accepted",
      isNumber: true,
      cell: ({ acknowledgedAtMs }) => (acknowledgedAtMs == null ? "–" : showAge(acknowledgedAtMs, nowMs)),
    },
  ];
}
