/** More than was allowed before the end of a line. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/**
 * Cuts a stream of bytes into lines, and holds no more of it than one line may have.
 * @returns a function that takes the next bytes and gives the lines that they end.
 */
export function lineCutter(mostBytes: number): (chunk: Buffer) => string[] {
  let rest: Buffer[] = [];
  let held = 0;
  return (chunk) => {
    const lines: string[] = [];
    for (let start = 0; start < chunk.length; ) {
      const end = chunk.indexOf(0x0a, start);
      const piece = chunk.subarray(start, end === -1 ? undefined : end);
      held += piece.length;
      if (held > mostBytes) throw new LineTooLong(`a line has more than ${mostBytes} bytes`);
      rest.push(piece);
      if (end === -1) break;
      lines.push(Buffer.concat(rest).toString('utf8'));
      rest = [];
      held = 0;
      start = end + 1;
    }
    return lines;
  };
}
