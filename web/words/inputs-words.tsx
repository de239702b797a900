/** Words about a model's inputs, at the question and at the approval: a notice where they are not those that its rows give. */
import { type InputsFound, inputsWords } from "@openledger/client/tasks/inputs-words";
import { Notice } from "../design/notice.tsx";

/** @param found null for a model whose recipe chooses none */
export function AboutInputs({ found }: { found: InputsFound | null }) {
  if (found === null) return null;
  const words = inputsWords(found);
  const sentence = `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
  if (found !== "others") return <p class="soft small">{sentence}</p>;
  return (
    <Notice tone="wait" title="The model's owner chose what counts of each row.">
      <p>{sentence}</p>
    </Notice>
  );
}
