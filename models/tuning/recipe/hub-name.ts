/** Names of a hub's models. Runs in browsers. */

const NAME_PART = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
const HUB_NAME = new RegExp(`^(${NAME_PART}/${NAME_PART})(?:@(${NAME_PART}))?$`);

/** Name and revision of `owner/name` or `owner/name@revision`; null for a text of another form. */
export function parseHubName(text: string): { readonly name: string; readonly revision: string } | null {
  const [, name, revision = "main"] = HUB_NAME.exec(text) ?? [];
  return name === undefined ? null : { name, revision };
}
