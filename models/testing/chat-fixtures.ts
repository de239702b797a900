/** A chat template for bases whose tokens are bytes. */

/** Marks are short, since the models of tests read a few dozen bytes. */
export const byteTemplate =
  "{%- for message in messages -%}" +
  "{{ {'system': '[s]', 'user': '[u]', 'assistant': '[a]', 'tool': '[t]'}[message.role] }}{{ message.content or '' }}" +
  "{%- endfor -%}{%- if tools %}{{ tools | length }}{% endif -%}" +
  "{%- if add_generation_prompt -%}[a]{%- endif -%}";
