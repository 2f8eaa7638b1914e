//! News are bounded and never lost.

use super::*;

fn name(at: usize) -> ServerName {
    format!("n{at}.example.com").parse().unwrap()
}

#[test]
fn news_are_bounded() {
    let mut news = News::default();
    assert_eq!(news.take(), None);
    for at in 0..MAX_CHANGES {
        news.changed(name(at));
        news.changed(name(at));
    }
    assert!(matches!(news.take(), Some(Told::Changed(names)) if names.len() == MAX_CHANGES));
    assert_eq!(news.take(), None);
    for at in 0..=MAX_CHANGES {
        news.changed(name(at));
    }
    news.changed(name(0));
    assert!(news.changed.is_empty());
    assert_eq!(news.take(), Some(Told::TooMuch));
    assert_eq!(news.take(), None);
    news.lost = true;
    news.changed(name(0));
    assert_eq!(news.take(), Some(Told::Lost));
}

#[tokio::test]
async fn what_was_told_before_is_heard_later() {
    let inbox = Arc::<Inbox>::default();
    inbox.news().changed(name(1));
    inbox.tell();
    assert_eq!(inbox.told().await, Told::Changed(vec![name(1)]));
    // Somebody who went away while waiting takes nothing with him.
    assert_eq!(futures_util::FutureExt::now_or_never(inbox.told()), None);
    inbox.news().changed(name(2));
    inbox.tell();
    assert_eq!(inbox.told().await, Told::Changed(vec![name(2)]));
}
