/** Links to the pages of batches, leaves, answers and operations, and their addresses, for all pages. */
import type { LedgerPayment } from "@openledger/client/sequencer/model-schemas";
import { useEffect } from "preact/hooks";
import { Identicon } from "../design/identicon.tsx";
import { Identifier } from "../design/identifier.tsx";
import { showCount } from "./format.ts";
import { leafNames, noteShownLeaf, ownLeafId } from "./leaf-names.ts";

export const batchHref = (number: number) => `#/batch/${number}`;
export const leafHref = (id: number) => `#/leaf/${id}`;
/** @param name from `nameOfPayment` */
export const answerHref = (name: string) => `#/answer/${name}`;
/** A payment's hash; of one that has none, since Ethereum's queue forced it, its model and receipt. */
export const nameOfPayment = ({ hash, receipt }: { hash: string; receipt: bigint }, modelId: number) =>
  BigInt(hash) === 0n ? `${modelId}/0x${receipt.toString(16)}` : hash;
export const operationHref = (hash: string) => `#/operation/${hash}`;
export const queueHref = (index: number) => `#/queue/${index}`;
export const settlementHref = (modelId: number, epoch: number) => `#/settlement/${modelId}/${epoch}`;

export function BatchLink({ number }: { number: number }) {
  return <a href={batchHref(number)}>{showCount(number)}</a>;
}

/** Name of a leaf: its picture, its name, its number second; its number alone if it has no name. */
export function LeafLink({ id }: { id: number }) {
  useEffect(() => noteShownLeaf(id), [id]);
  return (
    <a class="leaf-link" href={leafHref(id)}>
      <Identicon of={`leaf ${id}`} />
      <LeafName id={id} />
    </a>
  );
}

/** The same without picture and link, for a heading or a choice. */
export function LeafName({ id }: { id: number }) {
  const { name } = leafNames.value.get(id) ?? {};
  const isOwn = ownLeafId.value === id;
  if (name === undefined && !isOwn) return <>{id}</>;
  return (
    <>
      {name ?? "you"} <span class="leaf-number">({name !== undefined && isOwn ? `${id}, you` : id})</span>
    </>
  );
}

export function QueueLink({ index, label }: { index: number; label?: string }) {
  return <a href={queueHref(index)}>{label ?? `queue entry ${showCount(index)}`}</a>;
}

/**
 * Identity of a payment: an operation, or an entry of Ethereum's queue; nothing of a payment that the server has from
 * Ethereum alone.
 */
export function PaymentIdentity({
  payment,
  label = "operation",
}: {
  payment: LedgerPayment;
  label?: string;
}) {
  const { hash, queueIndex } = payment;
  if (queueIndex != null) return <QueueLink index={queueIndex} />;
  return BigInt(hash) === 0n ? null : <OperationLink hash={hash} label={label} />;
}

/** A hash that can be copied, and the way to its page. */
export function OperationLink({ hash, label }: { hash: string; label: string }) {
  return (
    <span class="row">
      <a href={operationHref(hash)}>{label}</a>
      <Identifier value={hash} label="the hash" />
    </span>
  );
}
