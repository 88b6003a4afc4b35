export type Block = {
  /** What follows the opening fence. */
  language: string;
  text: string;
  /** The line of the fence, from 1. */
  line: number;
  /** The HTML comment right above it, if there is one. */
  comment: string | undefined;
};

/** The fenced code blocks of a page, or those of one language. */
export function fencedBlocks(page: string, language?: string): Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const opening = /^( *)```(\S*)/.exec(lines[index] ?? '');
    if (opening === null) continue;
    const [, indent = '', said = ''] = opening;
    const end = lines.indexOf(`${indent}\`\`\``, index + 1);
    if (end < 0) throw new Error(`the block of line ${index + 1} has no end`);
    const above = lines.slice(0, index).findLast((line) => line.trim() !== '');
    const text = lines.slice(index + 1, end).map((line) => line.slice(indent.length));
    blocks.push({
      language: said,
      text: `${text.join('\n')}\n`,
      line: index + 1,
      comment: /^ *<!-- (.*) -->$/.exec(above ?? '')?.[1],
    });
    index = end;
  }
  return blocks.filter((block) => language === undefined || block.language === language);
}
