/**
 * Markdown of an answer as elements. Its HTML is text, its pictures are not fetched, and only https leads out of the page.
 * turn-card.tsx shows answers by it.
 */
import { Lexer, type Token, type Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";

export function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(new Lexer({ gfm: true, breaks: true }).lex(text))}</div>;
}

const blocks = (tokens: readonly Token[]): VNode[] =>
  tokens.map((token, i) => <Block key={i} token={token} />);

function Block({ token }: { token: Token }): VNode | null {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      // Below the page's own headings.
      return (
        <p>
          <strong>{inline((token as Tokens.Heading).tokens)}</strong>
        </p>
      );
    case "code":
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens)}</blockquote>;
    case "hr":
      return <hr />;
    case "list": {
      const { items, ordered } = token as Tokens.List;
      const shown = items.map((item, i) => <li key={i}>{blocks(item.tokens)}</li>);
      return ordered ? <ol>{shown}</ol> : <ul>{shown}</ul>;
    }
    case "table":
      return <Grid token={token as Tokens.Table} />;
    case "text":
      return <>{inline((token as Tokens.Text).tokens ?? [token])}</>;
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>;
    default:
      return <p>{token.raw}</p>;
  }
}

function Grid({ token: { header, rows } }: { token: Tokens.Table }) {
  return (
    <div class="table-box">
      <table class="table">
        <thead>
          <tr>
            {header.map((cell, i) => (
              <th key={i}>{inline(cell.tokens)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, k) => (
            <tr key={k}>
              {row.map((cell, i) => (
                <td key={i}>{inline(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const inline = (tokens: readonly Token[]): ComponentChildren[] =>
  tokens.map((token, i) => <Inline key={i} token={token} />);

function Inline({ token }: { token: Token }) {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      if (!href.startsWith("https://")) return <>{inline(tokens)}</>;
      return (
        <a href={href} rel="noopener noreferrer nofollow" target="_blank">
          {inline(tokens)}
        </a>
      );
    }
    case "escape":
      return <>{(token as Tokens.Escape).text}</>;
    case "text": {
      const { text, tokens } = token as Tokens.Text;
      return <>{tokens === undefined ? text : inline(tokens)}</>;
    }
    default:
      return <>{token.raw}</>;
  }
}
