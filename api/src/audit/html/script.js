const text=document.getElementById("text"),kind=document.getElementById("kind"),shown=document.getElementById("shown");
const rows=[...document.querySelectorAll("tbody tr")];
function find(){
  const words=text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count=0;
  for(const row of rows){
    const fits=(!kind.value||row.dataset.kind===kind.value)&&words.every(word=>row.textContent.toLowerCase().includes(word));
    row.hidden=!fits;
    if(fits)count++;
  }
  shown.textContent=count+" of "+rows.length;
}
text.addEventListener("input",find);
kind.addEventListener("change",find);
document.querySelector(".find").hidden=false;
find();
