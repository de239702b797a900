/** Words about a model's word vectors, at the question and at the approval: a notice where they are its owner's own. */
import type { VectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { Notice } from "../design/notice.tsx";

export function AboutVectors({ vectors }: { vectors: VectorsWords | null }) {
  if (vectors === null) return null;
  const sentence = `${vectors.text.charAt(0).toUpperCase()}${vectors.text.slice(1)}.`;
  if (vectors.isReleased) return <p class="soft small">{sentence}</p>;
  return (
    <Notice tone="wait" title="The model's word vectors are its owner's own.">
      <p>{sentence}</p>
    </Notice>
  );
}
