/** Where things of the ledger are shown. One place that knows the pages' addresses. */
import { Identifier } from "../design/identifier.tsx";
import { showCount } from "./format.ts";
import { leafNames } from "./leaf-names.ts";

export const batchHref = (number: number) => `#/batch/${number}`;
export const leafHref = (id: number) => `#/leaf/${id}`;
/** @param hash of the payment */
export const answerHref = (hash: string) => `#/answer/${hash}`;
export const operationHref = (hash: string) => `#/operation/${hash}`;
export const queueHref = (index: number) => `#/queue/${index}`;
export const settlementHref = (modelId: number, epoch: number) => `#/settlement/${modelId}/${epoch}`;

export function BatchLink({ number }: { number: number }) {
  return <a href={batchHref(number)}>{showCount(number)}</a>;
}

/** A leaf by its name, with its number second; by its number where it has no name. */
export function LeafLink({ id }: { id: number }) {
  const named = leafNames.value.get(id);
  return (
    <a href={leafHref(id)}>
      {named === undefined ? (
        id
      ) : (
        <>
          {named.name} <span class="leaf-number">({id})</span>
        </>
      )}
    </a>
  );
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
