/** Page "#/glossary": every word that has a tooltip, with the same meaning. */
import { Field } from "../design/field.tsx";
import { useFilter } from "../routes.ts";
import { glossary } from "./term.tsx";

export function WordsPage() {
  const [target, setTarget] = useFilter("q");
  const needle = target.trim().toLowerCase();
  const found = Object.entries(glossary).filter(([word, meaning]) =>
    `${word} ${meaning}`.toLowerCase().includes(needle),
  );
  return (
    <>
      <section class="stack">
        <h1>Glossary</h1>
        <p class="lead">Dotted words on these pages show their meaning. This page lists them all.</p>
      </section>
      <section class="card stack">
        <Field label="Find a word" value={target} onInput={setTarget} />
        <dl class="facts facts-wide" aria-label="Words">
          {found.flatMap(([word, meaning]) => [
            <dt key={`${word} word`}>{word}</dt>,
            <dd key={`${word} meaning`}>{meaning}</dd>,
          ])}
        </dl>
        {found.length === 0 && <p class="soft">No word contains “{target.trim()}”.</p>}
      </section>
    </>
  );
}
