/**
 * Step of the contribute tab for files with other column names than the card: the contributor says which column is which field.
 */
import type { ColumnNames, FileColumns } from "@openledger/datanets/rows/read-rows";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { Choice } from "../../design/choice.tsx";

/** Other usual names of a field. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  text: ["body", "content", "message", "sentence"],
  prompt: ["question", "instruction", "input"],
  answer: ["response", "completion", "output"],
  label: ["category", "class", "tag"],
};

/** Maps columns of a file to fields of a row, if their names differ. */
export function ColumnChoice({
  columns: { has, needs },
  onChoose,
}: {
  columns: FileColumns;
  onChoose: (names: ColumnNames) => void;
}) {
  // A passage is one text, or a prompt with its answer.
  const isPassage = needs.includes("prompt");
  const [isText, setText] = useState(isPassage && has.length === 1);
  const requiredFields = isText ? ["text"] : needs;
  const [chosen, setChosen] = useState<ColumnNames>({});
  const columnOf = (name: string, i: number) => chosen[name] ?? guess(name, has) ?? has[i] ?? has[0]!;
  return (
    <section class="stack" aria-label="Columns">
      <h3>Which column is which?</h3>
      <p class="soft small">The columns of your file have other names than this Datanet's card.</p>
      <div class="columns columns-small">
        {isPassage && (
          <Choice
            label="A row is"
            value={isText ? "text" : "pair"}
            onChoose={(name) => setText(name === "text")}
            options={[
              { name: "pair", label: "a prompt with its answer" },
              { name: "text", label: "one text" },
            ]}
          />
        )}
        {requiredFields.map((name, i) => (
          <Choice
            key={name}
            label={name}
            value={columnOf(name, i)}
            onChoose={(column) => setChosen({ ...chosen, [name]: column })}
            options={has.map((column) => ({ name: column, label: column }))}
          />
        ))}
      </div>
      <div class="row">
        <Button
          isMain
          onClick={() =>
            onChoose(Object.fromEntries(requiredFields.map((name, i) => [name, columnOf(name, i)])))
          }
        >
          Use these columns
        </Button>
      </div>
    </section>
  );
}

function guess(name: string, has: readonly string[]): string | undefined {
  const likely = [name.toLowerCase(), ...(ALSO[name] ?? [])];
  return has.find((column) => likely.includes(column.trim().toLowerCase()));
}
