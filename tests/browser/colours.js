/**
 * Goes over what a colour scheme can change. Texts that look alike, down to what lies behind them, are told from it alike: axe
 * judges the first of them, on whichever page. Where it says nothing of the first (it is switched off, say), it is asked about all.
 */
async (rules) => {
  const judged = new Set(JSON.parse(sessionStorage.getItem("judged") ?? "[]"));
  const looks = new Map();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (data.trim() !== "" && parentElement.checkVisibility()) looks.set(parentElement, lookOf(parentElement));
  }
  const firstOf = new Map(Array.from(looks, ([element, look]) => [look, element]).reverse());
  const found = [];
  for (const some of [firstOf.values(), looks.keys()]) {
    const include = Array.from(some).filter((element) => !judged.has(looks.get(element)));
    if (include.length === 0) break;
    const options = { elementRef: true, resultTypes: ["violations", "passes"], runOnly: rules };
    const { passes, violations } = await axe.run({ include }, options);
    const ofContrast = [...passes, ...violations].filter(({ id }) => id === "color-contrast");
    for (const { element } of ofContrast.flatMap(({ nodes }) => nodes)) judged.add(lookOf(element));
    found.push(...violations);
  }
  sessionStorage.setItem("judged", JSON.stringify([...judged]));
  return found.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html.slice(0, 200)) }));

  function lookOf(element) {
    const { fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(element);
    const look = [element.tagName, fontSize, fontWeight, textShadow, textDecorationLine];
    for (let one = element; one !== null; one = one.parentElement) {
      const style = getComputedStyle(one);
      look.push(style.color, style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.position);
    }
    return look.join();
  }
}
