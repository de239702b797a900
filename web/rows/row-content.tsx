/**
 * Content of one row, as labelling, review and a row's details show it: text of a stranger, or a picture whose bytes match its
 * SHA-256.
 */
import { fetchRowContents } from "@openledger/client/datanets/browse-rows";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { readablePlace, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { pictureAddress } from "./picture-address.ts";
import { RowText } from "./row-text.tsx";

/** Characters that are shown before a person asks for the rest. */
const FIRST_CHARACTERS = 4_000;

interface RowContentProps extends TabProps {
  readonly row: { readonly digest: string; readonly excerpt: string; readonly isCut: boolean };
}

/** Content of a row: text, or a picture, whose bytes this page has checked. */
export function RowContent(props: RowContentProps) {
  const { facts, row } = props;
  const { kind } = facts.card.row;
  if (kind === "image") return <Picture key={row.digest} {...props} />;
  return <Text key={row.digest} {...row} />;
}

function Text({ excerpt, isCut }: { excerpt: string; isCut: boolean }) {
  const [isWhole, setWhole] = useState(excerpt.length <= FIRST_CHARACTERS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
    <section class="row-content" tabIndex={0} aria-label="The row's text">
      {excerpt === "" ? (
        <span class="soft">It has no text.</span>
      ) : (
        <RowText text={isWhole ? excerpt : excerpt.slice(0, FIRST_CHARACTERS)} />
      )}
      {!isWhole && (
        <Button isSmall onClick={() => setWhole(true)}>
          Show the rest
        </Button>
      )}
      {isWhole && isCut && <p class="soft small">It is longer than this page shows.</p>}
    </section>
  );
}

function Picture(props: RowContentProps) {
  const { facts, row, visitor } = props;
  const { problem, value } = useLoad(row.digest, async () => {
    const asked = { ...readablePlace(props), digests: [row.digest], maxRowBytes: facts.card.row.maxBytes };
    return (await fetchRowContents(visitor.reader, asked))[0]!;
  });
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Fetching the picture …</p>;
  const address = pictureAddress(value);
  if (address === null) return <p class="soft">This picture cannot be shown.</p>;
  return <img class="row-picture" src={address} alt="The row" />;
}
