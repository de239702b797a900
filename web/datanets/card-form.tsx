import { type Card, cardSchema, type NamedCard, nameCard, ROW_KINDS } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { showCount } from "../words/format.ts";
import { sayIssue } from "../words/issues.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { type CardDraft, cardOfDraft } from "./card-draft.ts";

interface CardFormProps {
  readonly draft: CardDraft;
  readonly onDraft: (draft: CardDraft) => void;
  /** What the ledger has now; null of a new one. */
  readonly before: Card | null;
  readonly action: Action;
  /** What else is rarely changed. */
  readonly advanced?: ComponentChildren;
  readonly submitLabel: string;
  readonly onSubmit: (card: NamedCard) => void;
}

/** What a row is, in words. */
export const KINDS: Readonly<Record<(typeof ROW_KINDS)[number], string>> = {
  text: "a text",
  passage: "a passage, or a prompt with its answer, for language models",
  json: "an object of fields (JSON)",
  email: "an e-mail with its label",
  digit: "a picture of a digit with its label",
  image: "a picture: PNG, JPEG, GIF, WebP",
};

/** Four fields that everybody fills in; the rest has usual values, and is under Advanced. The card's hash is what the ledger gets. */
export function CardForm({ action, advanced, before, draft, onDraft, onSubmit, submitLabel }: CardFormProps) {
  const [triedCount, setTriedCount] = useState(0);
  const { named, wrong, why } = read(draft, before);
  const set =
    <Name extends keyof CardDraft>(name: Name) =>
    (value: CardDraft[Name]) =>
      onDraft({ ...draft, [name]: value });
  const problemAt = (at: string) => {
    const [, sentence = null] =
      [...wrong].find(([path]) => triedCount > 0 && (path === at || path.startsWith(`${at}.`))) ?? [];
    return sentence;
  };
  const form = useRef<HTMLFormElement>(null);
  const [isOpen, setOpen] = useState(before !== null);
  useEffect(() => {
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    const around = field?.closest("details");
    if (triedCount === 0 || field == null) return;
    if (around != null) around.open = true;
    field.focus();
  }, [triedCount]);
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        // Tried once more, the first wrong field is where one writes next.
        setTriedCount((count) => (named === null ? count + 1 : count));
        if (named !== null) onSubmit(named);
      }}
    >
      <section class="card stack" aria-label="What it is about">
        <Field label="Name" value={draft.name} onInput={set("name")} problem={problemAt("name")} />
        <Field
          label="Description"
          value={draft.description}
          onInput={set("description")}
          lineCount={4}
          problem={problemAt("description")}
        />
        <Choice
          label="A row is"
          value={draft.kind}
          onChoose={set("kind")}
          options={ROW_KINDS.map((name) => ({ name, label: KINDS[name] }))}
        />
        {draft.kind === "json" && (
          <Field
            label="Fields, one per line"
            value={draft.fields}
            onInput={set("fields")}
            lineCount={4}
            placeholder="question | text | what is asked"
            help="name | text, number or boolean | what it means"
            problem={problemAt("row.fields")}
          />
        )}
        <Field
          label="Labels, one per line"
          value={draft.labels}
          onInput={set("labels")}
          lineCount={4}
          placeholder="good | You would go out."
          help="For example: good | The answer is correct. The first nine have the keys 1 to 9."
          problem={problemAt("labels")}
        />
      </section>
      <details class="card" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <strong>Advanced</strong> <span class="soft">licence, contact, labelling, rewards</span>
        </summary>
        <div class="stack folded">
          <div class="columns columns-small">
            <Field
              label="Field"
              value={draft.field}
              onInput={set("field")}
              placeholder="medicine, law, spam"
              problem={problemAt("field")}
            />
            <Field
              label="Tags"
              value={draft.tags}
              onInput={set("tags")}
              placeholder="short, english"
              problem={problemAt("tags")}
            />
            <Field
              label="Licence"
              value={draft.licence}
              onInput={set("licence")}
              placeholder="CC-BY-4.0"
              problem={problemAt("licence")}
            />
            <Field
              label="Languages"
              value={draft.languages}
              onInput={set("languages")}
              placeholder="en, pt-BR"
              problem={problemAt("languages")}
            />
            <Field
              label="Contact"
              value={draft.contact}
              onInput={set("contact")}
              placeholder="Where people can reach you; it is public"
              problem={problemAt("contact")}
            />
            <Field
              label="At most, in bytes"
              value={draft.maxBytes}
              onInput={set("maxBytes")}
              problem={problemAt("row.maxBytes")}
            />
          </div>
          <Field
            label="Instructions for labellers"
            value={draft.instructions}
            onInput={set("instructions")}
            lineCount={4}
            problem={problemAt("instructions")}
          />
          <Field
            label="Examples, one per line"
            value={draft.examples}
            onInput={set("examples")}
            lineCount={3}
            placeholder="good | The sun shines. | You stay dry."
            help="label | the row | why"
            problem={problemAt("examples")}
          />
          {advanced}
          <section class="stack" aria-label="Who may do what">
            <h2>Who may do what</h2>
            <div class="columns columns-small">
              <Choice
                label="Who can read the rows"
                value={draft.access}
                onChoose={set("access")}
                options={[
                  { name: "public", label: "everybody" },
                  { name: "permissioned", label: "whom you grant access" },
                ]}
              />
              <Field
                label="Labels a row"
                value={draft.annotatorsPerRow}
                onInput={set("annotatorsPerRow")}
                problem={problemAt("labelling.annotatorsPerRow")}
              />
              <Choice
                label="A label is accepted if"
                value={draft.accept}
                onChoose={set("accept")}
                options={[
                  { name: "all", label: "all agree" },
                  { name: "majority", label: "more than half agree" },
                ]}
              />
            </div>
            <div class="columns columns-small">
              <Field
                label="Labellers"
                value={draft.labellers}
                onInput={set("labellers")}
                placeholder="anyone"
                help="Account numbers, separated by commas. Empty: anyone"
                problem={problemAt("labelling.labellers")}
              />
              <Field
                label="Reviewers"
                value={draft.reviewers}
                onInput={set("reviewers")}
                help="They settle disputes, approve contributions, leave rows out"
                problem={problemAt("labelling.reviewers")}
              />
              <Field
                label="Teams, one per line"
                value={draft.teams}
                onInput={set("teams")}
                lineCount={2}
                placeholder="Lisbon | 12, 15"
                help="name | account numbers. Progress is shown by team; an account is in at most one"
                problem={problemAt("labelling.teams")}
              />
            </div>
            <div class="columns columns-small">
              <Choice
                label="Validator of a row"
                value={draft.validator}
                onChoose={set("validator")}
                options={[
                  { name: "drawn", label: "drawn among accepted labellers" },
                  { name: "owner", label: "who approves the contribution" },
                ]}
              />
              <Choice
                label="Contributors' own rows"
                value={draft.ownRows}
                onChoose={set("ownRows")}
                options={[
                  { name: "refused", label: "others label and validate them" },
                  { name: "allowed", label: "they may label them, too" },
                ]}
              />
              <Choice
                label="Near-duplicates"
                value={draft.nearDuplicates}
                onChoose={set("nearDuplicates")}
                options={[
                  { name: "leave-out", label: "remove" },
                  { name: "share", label: "keep, sharing one reward" },
                  { name: "keep", label: "keep" },
                ]}
              />
              <Field
                label="Similarity threshold (%)"
                value={draft.similarity}
                onInput={set("similarity")}
                problem={problemAt("rewards.textSimilarityPermille")}
              />
            </div>
          </section>
        </div>
      </details>
      <section class="card stack" aria-label="Sign">
        {named === null ? (
          triedCount > 0 && (
            <Notice tone="bad" title="The card is not complete yet.">
              <p>
                {why === null
                  ? `${wrong.size === 1 ? "One field needs" : `${showCount(wrong.size)} fields need`} another look: below each it says what to write.`
                  : `It is too long: ${why}.`}
              </p>
            </Notice>
          )
        ) : (
          <p class="soft small">
            Card hash, which goes to the ledger: <code class="hash">{hex32(named.policy)}</code>
          </p>
        )}
        <div class="row">
          <Button isMain type="submit" isBusy={action.isBusy}>
            {submitLabel}
          </Button>
        </div>
        {action.problem !== null && <ProblemNotice problem={action.problem} />}
      </section>
    </form>
  );
}

function read(
  draft: CardDraft,
  before: Card | null,
): { named: NamedCard | null; wrong: ReadonlyMap<string, string>; why: string | null } {
  const card = cardOfDraft(draft, before);
  const { error } = cardSchema.safeParse(card);
  if (error !== undefined) {
    // Of each field the first: the next one comes to light when that is mended.
    const wrong = new Map<string, string>();
    for (const issue of error.issues) {
      const path = issue.path.join(".");
      if (!wrong.has(path)) wrong.set(path, sayIssue(issue));
    }
    return { named: null, wrong, why: null };
  }
  try {
    return { named: nameCard(card), wrong: new Map(), why: null };
  } catch (cause) {
    // The card as a whole: it is too long.
    if (!isRollupError(cause)) throw cause;
    return { named: null, wrong: new Map(), why: String((cause.data as { why?: unknown }).why) };
  }
}
