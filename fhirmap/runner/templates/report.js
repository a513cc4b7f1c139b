{# The only script of the page: it hides the records that are not of the state chosen or do not hold what is typed. The page's policy has its digest. #}
const choice = document.getElementById("choice"), rows = [...document.querySelectorAll("#records tbody tr")];
const [field, state, shown] = choice.children;
const choose = () => {
  const wanted = field.value.toLowerCase();
  const fits = (row) => (!state.value || row.dataset.state === state.value) && row.textContent.toLowerCase().includes(wanted);
  for (const row of rows) row.hidden = !fits(row);
  shown.value = `${rows.filter((row) => !row.hidden).length} / ${rows.length}`;
};
choice.hidden = false;
choice.addEventListener("input", choose);
choose();
