package openapi

// keptDocument is an encoded document between requests.
type keptDocument struct {
	key  string
	data []byte
}

// cached returns the document of that key, made if it is not kept. Keys hold the hash of the content, so that nothing
// kept is ever stale. Two requests at once may both make it; that is cheaper than to have one wait for another's.
func (s *Server) cached(key string, make func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	if e := s.kept[key]; e != nil {
		s.order.MoveToFront(e)
		s.mu.Unlock()
		return e.Value.(*keptDocument).data, nil
	}
	s.mu.Unlock()
	data, err := make()
	if err != nil || len(data) > s.options.CacheBytes {
		return data, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[key] != nil {
		return data, nil
	}
	s.kept[key] = s.order.PushFront(&keptDocument{key, data})
	s.keptBytes += len(data)
	for s.keptBytes > s.options.CacheBytes {
		oldest := s.order.Back()
		d := s.order.Remove(oldest).(*keptDocument)
		delete(s.kept, d.key)
		s.keptBytes -= len(d.data)
	}
	return data, nil
}
