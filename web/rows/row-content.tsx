/**
 * Content of one row, as labelling, review and a row's details show it: text of a stranger, all fields of a table, or a picture
 * whose bytes match its SHA-256.
 */
import type { FieldValue } from "@openledger/attribution/rows/table-rows";
import { fetchRowContents } from "@openledger/client/datanets/browse-rows";
import { viewRow } from "@openledger/datanets/rows/row-view";
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { readableLocation, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { Part } from "../words/part.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { ShownValue } from "./field-value.tsx";
import { passageParts } from "./passage-parts.ts";
import { pictureAddress } from "./picture-address.ts";
import { RowText } from "./row-text.tsx";

/** Characters that are shown before a person asks for the rest. */
const FIRST_CHARACTERS = 4_000;
/** Maximum width and height of pictures that are enlarged, so that people see their pixels. */
const SMALL_PIXELS = 96;

interface RowContentProps extends TabProps {
  readonly row: {
    readonly digest: string;
    readonly excerpt: string;
    readonly isCut: boolean;
    /** Values of a table's fields, if the host has sent them. */
    readonly values?: readonly FieldValue[] | null;
  };
}

/** Content of a row: text, the fields of a table, or a picture, whose bytes this page has checked. */
export function RowContent(props: RowContentProps) {
  return (
    <Part key={props.row.digest}>
      <OfKind {...props} />
    </Part>
  );
}

function OfKind(props: RowContentProps) {
  const { facts, row } = props;
  const { kind } = facts.card.row;
  if (kind === "image") return <Picture key={row.digest} {...props} />;
  if (kind === "table") return <Fields key={row.digest} {...props} />;
  // A passage of one line has no two parts.
  if (kind === "passage" && row.excerpt.includes("\n")) return <Passage key={row.digest} {...props} />;
  return <Text key={row.digest} {...row} />;
}

function Text({ excerpt, isCut }: { excerpt: string; isCut: boolean }) {
  const [isWhole, setWhole] = useState(excerpt.length <= FIRST_CHARACTERS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
    <section class="row-content" tabIndex={0} aria-label="The row's text">
      {excerpt === "" ? (
        <span class="soft">This row has no text.</span>
      ) : (
        <RowText text={isWhole ? excerpt : excerpt.slice(0, FIRST_CHARACTERS)} />
      )}
      {!isWhole && (
        <Button isSmall onClick={() => setWhole(true)}>
          Show the rest
        </Button>
      )}
      {isWhole && isCut && <p class="soft small">This row is longer than this page shows.</p>}
    </section>
  );
}

/** Bytes of a row, checked against its name. */
async function contentOf(props: RowContentProps): Promise<Uint8Array> {
  const { facts, row, visitor } = props;
  const question = {
    ...readableLocation(props),
    digests: [row.digest],
    maxRowBytes: facts.card.row.maxBytes,
  };
  return (await fetchRowContents(visitor.reader, question))[0]!;
}

/** A question with its answer, or a conversation, each part under its name. */
function Passage(props: RowContentProps) {
  const { row } = props;
  const { value } = useLoad(row.digest, async () => passageParts(await contentOf(props)));
  // Until the parts are there, and where there are none, the text is what there is to read.
  if (value === undefined || value === null) return <Text {...row} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
    <section class="row-content" tabIndex={0} aria-label="The row's text">
      <dl class="row-fields">
        {value.map(({ name, text }, i) => (
          <Fragment key={i}>
            <dt>{name}</dt>
            <dd>
              <RowText text={text} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </section>
  );
}

/** All fields of a table's row, each with its name, type and meaning. */
function Fields(props: RowContentProps) {
  const { facts, row } = props;
  const sent = row.isCut ? null : (row.values ?? null);
  const { problem, value } = useLoad(
    row.digest,
    async () => sent ?? viewRow(facts.card, await contentOf(props)).values ?? null,
  );
  if (problem !== null) return <ProblemNotice problem={problem} />;
  const values = sent ?? value;
  if (values === undefined) return <p class="soft">Loading the row …</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
    <section class="row-content" tabIndex={0} aria-label="The row's fields">
      {values === null ? (
        <span class="soft">This row does not match the fields of the Datanet.</span>
      ) : (
        <dl class="row-fields">
          {facts.card.row.fields.map(({ description, name, type }, i) => (
            <Fragment key={name}>
              <dt title={description}>
                <RowText text={name} /> <span class="soft small">{type}</span>
              </dt>
              <dd>
                <ShownValue value={values[i] ?? null} />
              </dd>
            </Fragment>
          ))}
        </dl>
      )}
    </section>
  );
}

function Picture(props: RowContentProps) {
  const { row } = props;
  const [isSmall, setSmall] = useState(false);
  const { problem, value } = useLoad(row.digest, () => contentOf(props));
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Loading the picture …</p>;
  const address = pictureAddress(value);
  if (address === null) return <p class="soft">This picture cannot be shown.</p>;
  return (
    <img
      class={isSmall ? "row-picture row-picture-small" : "row-picture"}
      src={address}
      alt="The row"
      onLoad={({ currentTarget: { naturalHeight, naturalWidth } }) =>
        setSmall(Math.max(naturalHeight, naturalWidth) <= SMALL_PIXELS)
      }
    />
  );
}
