// No module, so that it runs where modules do not come: it says by what answer the page's was refused.
addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLScriptElement)) return;
  const name = target.getAttribute("src") ?? "";
  /** @param {Response | null} answer @returns {string} what is wrong with it, or nothing */
  const judge = (answer) => {
    if (!answer) return `${name} does not come: the server or the way to it is gone`;
    if (!answer.ok) return `something between this page and the server refuses ${name}: it answers ${answer.status} ${answer.statusText}`;
    if (!/javascript/.test(answer.headers.get("content-type") ?? "")) return `what comes as ${name} is no script: something between this page and the server has changed it`;
    return "";
  };
  void fetch(name).catch(() => null).then((answer) => {
    const wrong = judge(answer);
    const place = document.getElementById("unstarted");
    if (!place || !wrong) return;
    place.style.animation = "none";
    place.textContent = `The page cannot start: ${wrong}. Let it through, or open the page by another way, then load it again.`;
  });
}, true);
