{# The only script of the page: it hides the records that do not hold what is typed. The page's policy has its digest. #}
const field = document.getElementById("filter"), rows = [...document.querySelectorAll("#records tbody tr")];
field.hidden = false;
field.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
});
