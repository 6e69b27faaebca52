setTimeout(() => {
  console.log("half a second later");
}, 500);
