// Items of an initializer in lines of less than 100 columns.
export function rows(items) {
  const out = [];
  let line = '';
  for (const item of items) {
    if (line.length + item.length + 1 > 99) {
      out.push(line);
      line = '';
    }
    line += `${item},`;
  }
  return [...out, line].join('\n');
}
