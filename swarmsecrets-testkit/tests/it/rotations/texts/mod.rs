//! What an operator reads: each refusal, and each way that a rotation can end. The pages are kept as golden files, to be
//! read as at three in the morning: what happened, to what, what serves now, and what to do next.

mod page;

mod asked;
mod commanded;
mod done;
mod held;
mod later;
mod lost;
mod passwords;
mod patched;
mod revoked;
mod scenes;
mod stale;
mod stopped;
mod undone;
mod unstarted;

use page::Page;

#[tokio::test]
async fn refusals() {
    let mut page = Page::default();
    asked::write(&mut page).await;
    held::write(&mut page).await;
    commanded::refusals(&mut page).await;
    stale::write(&mut page).await;
    later::write(&mut page).await;
    insta::assert_snapshot!("refusals", page.text());
}

#[tokio::test]
async fn end_states() {
    let mut page = Page::default();
    done::write(&mut page).await;
    undone::write(&mut page).await;
    unstarted::write(&mut page).await;
    stopped::write(&mut page).await;
    passwords::write(&mut page).await;
    commanded::ends(&mut page).await;
    patched::write(&mut page).await;
    revoked::write(&mut page).await;
    lost::write(&mut page).await;
    insta::assert_snapshot!("end_states", page.text());
}
